import { Validator } from "@seriousme/openapi-schema-validator";
import { expect } from "chai";
import { createStatusServer, type StatusServer } from "../src/index.js";

interface Operation {
  readonly summary?: string;
  readonly operationId?: string;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly security?: unknown;
}

/** Fastify's tree of routes as `METHOD path`, HEAD left out. */
function routesOf(tree: string): string[] {
  const path: string[] = [];
  return tree.split("\n").flatMap((line) => {
    const match = /^(.*)── (\S+)(?: \((.+)\))?$/.exec(line);
    if (match === null) return [];
    path.length = Math.floor(match[1]!.length / 4);
    path.push(match[2]!);
    const methods = (match[3] ?? "").split(", ").filter((method) => method !== "HEAD" && method !== "");
    return methods.map((method) => `${method} ${path.join("")}`);
  });
}

describe("/docs", () => {
  let server: StatusServer;
  let document: Document;
  before(async () => {
    server = await createStatusServer({ sources: [], port: 0 });
    document = (await (await fetch(`${server.url}/docs/json`)).json()) as Document;
  });
  after(() => server[Symbol.asyncDispose]());

  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        operation,
      })),
    );

  it("holds a valid OpenAPI 3.1 document", async () => {
    expect(document.openapi).to.match(/^3\.1\./);
    const result = await new Validator().validate({ ...structuredClone(document) });
    expect(result.valid, JSON.stringify(result.errors)).to.equal(true);
  });

  it("describes every route of the service, and no other", () => {
    expect(operations().map(({ name }) => name)).to.have.members([
      "GET /livez",
      "GET /readyz",
      "GET /metrics",
      "GET /api/v1/jobs",
      "POST /api/v1/jobs",
      "GET /api/v1/jobs/{id}",
      "POST /api/v1/jobs/{id}/pause",
      "POST /api/v1/jobs/{id}/resume",
      "POST /api/v1/jobs/{id}/cancel",
      "GET /api/v1/schedules",
      "POST /api/v1/schedules/{name}/run",
      "POST /api/v1/schedules/{name}/pause",
      "POST /api/v1/schedules/{name}/resume",
      "GET /api/v1/status",
      "GET /api/v1/dead-letters",
      "GET /api/v1/dead-letters/groups",
      "POST /api/v1/dead-letters/replay",
      "GET /api/v1/dead-letters/{id}",
      "POST /api/v1/dead-letters/{id}/replay",
      "POST /api/v1/dead-letters/{id}/discard",
      "GET /api/v1/conflicts",
      "GET /api/v1/conflicts/{id}",
      "POST /api/v1/lanes/{id}/pause",
      "POST /api/v1/lanes/{id}/resume",
    ]);
  });

  it("describes what each does, its answer and its problems", () => {
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { name, operation } of operations()) {
      expect(operation.summary, name).to.be.a("string");
      expect(
        Object.keys(operation.responses).some((status) => status.startsWith("2")),
        name,
      ).to.equal(true);
      expect(operation.responses["default"]?.content, name).to.have.property("application/problem+json");
    }
  });

  it("leaves no route out", () => {
    const documented = operations().map(({ name }) => name.replace(/\{(\w+)\}/g, ":$1"));
    const own = routesOf(server.app.printRoutes({ commonPrefix: false })).filter(
      (route) => !/ \/(docs|queues)/.test(route),
    );
    expect(own).to.have.members(documented);
  });

  it("is a page that loads nothing from elsewhere", async () => {
    const page = await fetch(`${server.url}/docs`);
    expect(page.status).to.equal(200);
    expect(await page.text()).to.not.match(/(?:src|href)="https?:/);
  });

  it("says that a token is needed when one is", async () => {
    await using guarded = await createStatusServer({ sources: [], port: 0, token: "a-token-of-some-length" });
    const reply = await fetch(`${guarded.url}/docs/json`, {
      headers: { authorization: "Bearer a-token-of-some-length" },
    });
    expect(((await reply.json()) as Document).security).to.deep.equal([{ token: [] }]);
  });
});
