import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { createStatusServer, type StatusServer } from "../../src/index.js";

describe("a method that an address doesn't have", () => {
  let server: StatusServer;
  before(async () => {
    server = await createStatusServer({ sources: [], port: 0 });
  });
  after(() => server[Symbol.asyncDispose]());

  const refused: [method: string, path: string, allow: string, body?: string][] = [
    ["DELETE", "/api/v1/status", "GET, HEAD"],
    ["OPTIONS", "/api/v1/status", "GET, HEAD"],
    ["PROPFIND", "/api/v1/status", "GET, HEAD"],
    ["POST", "/api/v1/status?lane=a", "GET, HEAD", "neither read nor blamed"],
    ["PUT", "/api/v1/jobs/", "GET, HEAD, POST", "{"],
    ["GET", "/api/v1/lanes/shop~reporting~0/pause", "POST"],
    ["POST", "/livez", "GET, HEAD"],
    ["POST", "/docs", "GET, HEAD"],
    ["POST", "/queues", "GET, HEAD"],
    ["PUT", "/queues/api/queues/pause", ""],
  ];
  for (const [method, path, allow, body] of refused) {
    it(`is 405, and says which ones it has: ${method} ${path}`, async () => {
      const reply = await ask(server.url + path, method, body);
      expect(reply).to.include({ status: 405, allow, type: "application/problem+json" });
      expect(JSON.parse(reply.text)).to.include({
        status: 405,
        code: "METHOD_NOT_ALLOWED",
        type: "urn:lockstep:error:METHOD_NOT_ALLOWED",
      });
    });
  }

  const unknown = ["/", "/api/v1/lanes", "/api/v1/status/all", "/queues/api/queues/pause"];
  for (const path of unknown) {
    it(`is 404 where there is nothing to read: ${path}`, async () => {
      const reply = await ask(server.url + path, "GET");
      expect(reply).to.include({ status: 404, allow: undefined });
      expect(JSON.parse(reply.text)).to.include({ code: "NOT_FOUND" });
    });
  }

  it("is told to nobody who may not ask", async () => {
    await using guarded = await createStatusServer({ sources: [], port: 0, token: "a-token-of-some-length" });
    expect(await ask(`${guarded.url}/api/v1/status`, "DELETE")).to.include({ status: 401, allow: undefined });
  });
});

interface Answer {
  readonly status: number | undefined;
  readonly allow: string | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

/** As a client of its own: `fetch` doesn't send every method. */
async function ask(url: string, method: string, body?: string): Promise<Answer> {
  const headers = { "content-type": "text/plain" };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { method, headers }, resolve).on("error", reject).end(body);
  });
  const { allow, "content-type": type } = response.headers;
  return { status: response.statusCode, allow, type: type?.split(";")[0], text: await text(response) };
}
