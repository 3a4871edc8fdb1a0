import { isLockstepError } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { request } from "node:http";
import { createStatusServer } from "../../src/index.js";
import { openRig, type StatusRig } from "../rig/status-rig.js";

const token = "a-token-of-some-length";
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(`ada:${text}`).toString("base64")}` });

describe("the token", () => {
  let rig: StatusRig;
  let letter: string;
  before(async () => {
    rig = await openRig({ token, tokens: [{ name: "night-shift", token: "another-token-for-others" }] });
    [letter] = (await rig.setAside("reporting", [{}])) as [string];
  });
  after(() => rig.close());

  const guarded = [
    "/api/v1/status",
    "/api/v1/dead-letters",
    "/api/v1/dead-letters/groups",
    "/metrics",
    "/docs",
    "/docs/json",
    "/queues",
    "/queues/api/queues",
    "/queues/static/favicon-32x32.png",
    "/nowhere",
  ];
  for (const path of guarded) {
    it(`is needed for ${path}`, async () => {
      const { status, body, headers } = await rig.get(path);
      expect(status).to.equal(401);
      expect(body).to.include({ code: "UNAUTHORIZED", status: 401 });
      expect(headers.get("content-type")).to.include("application/problem+json");
      expect(headers.get("www-authenticate")).to.match(/^(Bearer|Basic) realm="lockstep"/);
    });
  }

  it("is needed for decisions", async () => {
    for (const path of [
      "/api/v1/dead-letters/replay",
      "/api/v1/lanes/shop~reporting~0/pause",
      "/queues/api/queues/pause",
    ])
      expect((await rig.post(path, { all: true })).status, path).to.equal(401);
  });

  for (const headers of [
    bearer("wrong"),
    bearer(""),
    bearer(`${token}x`),
    { authorization: token },
    basic(token),
    { authorization: "Basic !!" },
  ]) {
    it(`isn't ${headers.authorization.slice(0, 20)}…`, async () => {
      expect((await rig.get("/api/v1/status", headers)).status).to.equal(401);
    });
  }

  it("opens everything", async () => {
    expect((await rig.get("/api/v1/status", bearer(token))).status).to.equal(200);
    expect((await rig.get("/metrics", { authorization: `bearer ${token}` })).status).to.equal(200);
  });

  it("opens pages in a browser as a password, but not the API, which another site's page could call with it", async () => {
    expect((await rig.get("/docs/json", basic(token))).status).to.equal(200);
    expect((await rig.get("/queues/api/queues", basic(token))).status).to.equal(200);
    expect((await rig.get("/queues/api/queues", basic("wrong"))).status).to.equal(401);
    expect((await rig.get("/api/v1/status?/docs/", basic(token))).status).to.equal(401);
  });

  it("says who decided, unless the caller does", async () => {
    const path = `/api/v1/dead-letters/${encodeURIComponent(letter)}/replay`;
    expect((await rig.post(path, undefined, bearer("another-token-for-others"))).body).to.include({
      by: "night-shift",
    });
    await rig.setAside("reporting", [{}]);
    const named = await rig.post(path, undefined, { ...bearer(token), "x-lockstep-user": "ada" });
    expect(named.body).to.include({ by: "ada" });
  });
});

describe("a service without a token", () => {
  it("refuses to listen beyond loopback", async () => {
    for (const host of ["0.0.0.0", "::"]) {
      const starting = createStatusServer({ sources: [], host, port: 0 });
      const error: unknown = await starting.then(
        () => undefined,
        (e: unknown) => e,
      );
      expect(isLockstepError(error, "LISTEN_WITHOUT_TOKEN"), host).to.equal(true);
    }
  });

  it("listens beyond loopback with one", async () => {
    await using server = await createStatusServer({ sources: [], host: "0.0.0.0", port: 0, token });
    const { port } = new URL(server.url);
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).to.equal(200);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).to.equal(401);
  });
});

describe("other sites' pages", () => {
  let rig: StatusRig;
  before(async () => {
    rig = await openRig();
    await rig.setAside("reporting", [{}]);
  });
  after(() => rig.close());

  const path = "/api/v1/lanes/shop~reporting~0/pause";
  // fetch() sets these headers itself; a browser's can only be forged below it.
  const raw = (method: string, headers: Record<string, string>, to = path) =>
    new Promise<number>((resolve, reject) => {
      const url = new URL(to, rig.server.url);
      request({ host: url.hostname, port: url.port, path: url.pathname, method, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      })
        .on("error", reject)
        .end();
    });

  it("can't decide", async () => {
    expect(await raw("POST", { "sec-fetch-site": "cross-site" })).to.equal(403);
    expect(await raw("POST", { "sec-fetch-site": "same-site" })).to.equal(403);
    expect(await raw("POST", { origin: "https://evil.example" })).to.equal(403);
    expect(await raw("POST", { origin: "null" })).to.equal(403);
    expect(await raw("POST", { "sec-fetch-site": "same-origin" })).to.equal(202);
    expect(await raw("POST", { origin: rig.server.url })).to.equal(202);
  });

  it("can't read by giving their own name the loopback address", async () => {
    expect(await raw("GET", { host: "evil.example" }, "/api/v1/status")).to.equal(403);
    expect(await raw("GET", { host: "localhost:1" }, "/api/v1/status")).to.equal(200);
  });

  it("get no CORS headers", async () => {
    const { headers } = await rig.get("/api/v1/status", { origin: "https://evil.example" });
    expect([...headers.keys()].filter((name) => name.startsWith("access-control"))).to.deep.equal([]);
    expect(await raw("OPTIONS", { origin: "https://evil.example" })).to.equal(405);
  });
});

describe("every answer", () => {
  let rig: StatusRig;
  before(async () => {
    rig = await openRig({ limits: { requestsPerMinute: 8, maxBodyBytes: 200 } });
  });
  after(() => rig.close());

  it("carries the headers that keep browsers in check", async () => {
    const { headers } = await rig.get("/api/v1/status");
    expect(headers.get("content-security-policy")).to.include("default-src 'self'");
    expect(headers.get("x-content-type-options")).to.equal("nosniff");
    expect(headers.get("x-frame-options")).to.be.a("string");
  });

  const bad: [name: string, init: RequestInit & { path: string }, status: number, code: string][] = [
    ["unknown address", { path: "/api/v2/status" }, 404, "NOT_FOUND"],
    ["an address that isn't UTF-8", { path: "/api/v1/dead-letters/%ff" }, 400, "REQUEST_INVALID"],
    ["unknown method", { path: "/api/v1/status", method: "DELETE" }, 405, "METHOD_NOT_ALLOWED"],
    [
      "no JSON",
      {
        path: "/api/v1/dead-letters/replay",
        method: "POST",
        body: "{",
        headers: { "content-type": "application/json" },
      },
      400,
      "REQUEST_INVALID",
    ],
    [
      "text",
      {
        path: "/api/v1/dead-letters/replay",
        method: "POST",
        body: "all",
        headers: { "content-type": "text/plain" },
      },
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ],
    [
      "too much",
      {
        path: "/api/v1/dead-letters/replay",
        method: "POST",
        body: JSON.stringify({ ids: ["x".repeat(300)] }),
        headers: { "content-type": "application/json" },
      },
      413,
      "PAYLOAD_TOO_LARGE",
    ],
  ];
  for (const [name, { path, ...init }, status, code] of bad) {
    it(`to a wrong request is a problem with code and hint: ${name}`, async () => {
      const response = await fetch(rig.server.url + path, init);
      expect(response.status).to.equal(status);
      expect(response.headers.get("content-type")).to.include("application/problem+json");
      const body = (await response.json()) as Record<string, unknown>;
      expect(body).to.include({ status, code, type: `urn:lockstep:error:${code}` });
      for (const field of ["title", "detail", "hint", "instance"])
        expect(body[field], field).to.be.a("string").and.not.equal("");
    });
  }

  it("is counted: too many in a minute are told to wait", async () => {
    let reply = await rig.get("/nowhere");
    for (let n = 0; n < 10 && reply.status !== 429; n++) reply = await rig.get("/nowhere");
    expect(reply.status).to.equal(429);
    expect(reply.body).to.include({ code: "RATE_LIMITED" });
    expect(Number(reply.headers.get("retry-after"))).to.be.within(1, 60);
  });
});

describe("a service whose event loop is late", () => {
  it("says that it is busy, but not to the probes", async () => {
    await using server = await createStatusServer({
      sources: [],
      port: 0,
      limits: { maxEventLoopDelayMs: 20 },
    });
    const busy = await eventually(
      async () => {
        const until = performance.now() + 150;
        while (performance.now() < until);
        const reply = await fetch(`${server.url}/api/v1/status`);
        return reply.status === 503 ? reply : undefined;
      },
      { what: "a refusal" },
    );
    expect((await fetch(`${server.url}/livez`)).status).to.equal(200);
    expect((await fetch(`${server.url}/readyz`)).status).to.equal(200);
    expect(await busy.json()).to.include({ code: "OVERLOADED", status: 503 });
    expect(Number(busy.headers.get("retry-after"))).to.be.greaterThan(0);
  });
});
