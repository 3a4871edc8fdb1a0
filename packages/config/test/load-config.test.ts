import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { loadConfig, parseConfig } from "../src/index.js";

const minimal = {
  redis: "redis://127.0.0.1:6379",
  sources: { shop: {} },
  targets: { reporting: { type: "postgres", url: "postgres://u:p@127.0.0.1/reporting" } },
};

async function failure(work: () => Promise<unknown>): Promise<Error> {
  try {
    await work();
  } catch (error) {
    if (isLockstepError(error, "CONFIG_INVALID")) return error;
    throw error;
  }
  throw new Error("no CONFIG_INVALID was thrown");
}

describe("config", () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "lockstep-config-"))));
  afterEach(() => rm(folder, { recursive: true }));

  it("fills in the defaults", () => {
    const config = parseConfig(minimal);
    expect(config.targets["reporting"]).to.include({ schema: "external", statementTimeoutMs: 30_000 });
    expect(config.retry).to.deep.equal({ attempts: 5, delayMs: 1000, maxDelayMs: 300_000, jitter: 0.5 });
    expect(config.status).to.include({ host: "127.0.0.1", port: 9464 });
  });

  it("leaves a table's own retry rule as it is written: the rest comes from the common one", () => {
    const config = parseConfig({
      ...minimal,
      retry: { delayMs: 5 },
      entities: { "public.orders": { retry: { attempts: 9 } } },
    });
    expect(config.entities["public.orders"]?.retry).to.deep.equal({ attempts: 9 });
  });

  it("lists everything that is wrong in one error, without values", async () => {
    const wrong = {
      redis: "http://secret-host",
      sources: { "1shop": { partitions: 0 } },
      targets: {
        a: { type: "postgres", url: "mysql://secret-user@h/d", sources: ["nope"], shema: "managed" },
        b: { type: "oracle" },
      },
    };
    const { message } = await failure(async () => parseConfig(wrong));
    for (const part of ["redis:", "sources.1shop", "targets.a.url", "shema", "targets.b.type"])
      expect(message).to.include(part);
    expect(message).not.to.include("secret");
  });

  it("takes queues of tables where a relay can feed them, and says what is wrong with others", async () => {
    const url = "postgres://h/d";
    const queues = { "public.orders": "order-changed", "public.customers": "order-changed" };
    expect(parseConfig({ ...minimal, sources: { shop: { url, queues } } }).sources["shop"]).to.deep.include({
      queues,
    });
    expect(parseConfig(minimal).sources["shop"]).to.deep.include({ queues: {} });
    const wrong = {
      ...minimal,
      sources: { shop: { url, queues: { orders: "q", "public.orders": "a:b", "public.tags": "" } } },
    };
    const { message } = await failure(async () => parseConfig(wrong));
    for (const part of ["orders: must name a table", "public.orders: must not be empty", "public.tags: must"])
      expect(message).to.include(part);
    const unfed = { ...minimal, sources: { shop: { queues } } };
    expect((await failure(async () => parseConfig(unfed))).message).to.include(
      "sources.shop.queues: are fed by the relay: give the source a url",
    );
  });

  it("names an unknown source of a target", async () => {
    const wrong = { ...minimal, targets: { a: { ...minimal.targets.reporting, sources: ["shpo"] } } };
    expect((await failure(async () => parseConfig(wrong))).message).to.include(
      "targets.a.sources.0: names an unknown source; known: shop",
    );
  });

  it("reads a TypeScript file and lets the environment win", async () => {
    const text = `export default { redis: "redis://one", sources: { "web-shop": {} }, targets: { "back-up": { type: "mysql", url: "mysql://a/b" } } } satisfies object;`;
    await writeFile(join(folder, "lockstep.config.ts"), text);
    const environment = {
      LOCKSTEP_REDIS_URL: "redis://two",
      LOCKSTEP_SOURCE_WEB_SHOP_URL: "postgres://s/d",
      LOCKSTEP_TARGET_BACK_UP_URL: "mysql://c/d",
      LOCKSTEP_STATUS_PORT: "1234",
      LOCKSTEP_TOKEN: "0123456789abcdef",
    };
    const config = await loadConfig({ cwd: folder, environment });
    expect(config.redis).to.equal("redis://two");
    expect(config.sources["web-shop"]?.url).to.equal("postgres://s/d");
    expect(config.targets["back-up"]).to.include({ url: "mysql://c/d" });
    expect(config.status).to.include({ port: 1234, token: "0123456789abcdef" });
  });

  it("refuses a port that is no number", async () => {
    await writeFile(join(folder, "lockstep.config.json"), JSON.stringify(minimal));
    const { message } = await failure(() =>
      loadConfig({ cwd: folder, environment: { LOCKSTEP_STATUS_PORT: "x" } }),
    );
    expect(message).to.include("status.port");
  });

  it("says which file is missing, empty or damaged", async () => {
    expect((await failure(() => loadConfig({ cwd: folder, file: "no.ts" }))).message).to.include("no.ts");
    expect((await failure(() => loadConfig({ cwd: folder }))).message).to.include(folder);
    await writeFile(join(folder, "bad.json"), `{ "redis": "redis://secret`);
    const { message } = await failure(() => loadConfig({ cwd: folder, file: "bad.json" }));
    expect(message).to.include("bad.json").and.not.to.include("secret");
  });
});
