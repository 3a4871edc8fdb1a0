import { fileURLToPath } from "node:url";
import {
  eventually,
  type FreshDatabase,
  freshPostgres,
  freshRedis,
  NodeProcess,
  startRedis,
} from "@lockstep/testing";
import { expect } from "chai";

const main = fileURLToPath(new URL("../main.js", import.meta.url));
const file = "lockstep.config.json";

describe("node services/status/dist/main.js --config", () => {
  let database: FreshDatabase;
  let redis: FreshDatabase;
  before(async () => {
    [database, redis] = await Promise.all([freshPostgres(), freshRedis()]);
  });
  after(() => Promise.all([database.drop(), redis.drop()]));

  const start = (more: object = {}) => {
    const config = {
      redis: redis.url,
      sources: { shop: {} },
      targets: { reporting: { type: "postgres", url: database.url, schema: "managed" } },
      status: { port: 0 },
      drainTimeoutMs: 5000,
      ...more,
    };
    return NodeProcess.start({ main, args: ["--config", file], files: { [file]: JSON.stringify(config) } });
  };

  /** The address that the log tells. */
  async function urlOf(service: NodeProcess): Promise<string> {
    await service.untilSays('"msg":"listening"');
    const line = service.output.find((text) => text.includes('"msg":"listening"'))!;
    return (JSON.parse(line) as { url: string }).url;
  }

  it("serves what the configuration names, and ends on SIGTERM", async () => {
    await using service = await start();
    const url = await urlOf(service);
    const ready = await fetch(`${url}/readyz`);
    expect(await ready.json()).to.deep.include({ status: "ok" });
    const status = (await (await fetch(`${url}/api/v1/status`)).json()) as {
      sources: { name: string; targets: { name: string }[] }[];
    };
    expect(status.sources.map((source) => [source.name, source.targets[0]!.name])).to.deep.equal([
      ["shop", "reporting"],
    ]);
    const board = (await (await fetch(`${url}/queues/api/queues`)).json()) as { queues: { name: string }[] };
    expect(board.queues.map((queue) => queue.name)).to.deep.equal(["shop.letters", "shop.jobs"]);
    expect(await service.stop()).to.equal(0);
  });

  it("serves and ends in time with Redis and the target away", async () => {
    await using service = await start({
      redis: "redis://127.0.0.1:1",
      targets: { reporting: { type: "postgres", url: "postgres://127.0.0.1:1/nothing" } },
    });
    const url = await urlOf(service);
    expect((await fetch(`${url}/livez`)).status).to.equal(200);
    expect((await fetch(`${url}/readyz`)).status).to.equal(503);
    const started = performance.now();
    expect(await service.stop()).to.equal(0);
    expect(performance.now() - started).to.be.lessThan(10_000);
  });

  it("shows the queues as soon as Redis comes, when it was away at the start", async () => {
    await using late = await startRedis();
    await late.stop();
    await using service = await start({ redis: late.url });
    const url = await urlOf(service);
    const away = await fetch(`${url}/queues/api/queues`);
    expect(away.status).to.equal(503);
    expect(((await away.json()) as { code: string }).code).to.equal("STREAM_UNAVAILABLE");
    await late.start();
    const board = async (): Promise<boolean> => (await fetch(`${url}/queues/api/queues`)).status === 200;
    await eventually(board, { what: "the queues to be shown" });
  });

  it("doesn't start beyond loopback without a token, and says what to do", async () => {
    await using service = await start({ status: { host: "0.0.0.0", port: 0 } });
    expect(await service.untilEnds()).to.equal(78);
    expect(service.output.join("\n")).to.include("LISTEN_WITHOUT_TOKEN").and.to.include("LOCKSTEP_TOKEN");
  });

  it("doesn't start from a wrong configuration, and shows no secret of it", async () => {
    await using service = await start({ redis: "http://:a-secret@127.0.0.1", status: { prt: 1 } });
    expect(await service.untilEnds()).to.equal(78);
    const output = service.output.join("\n");
    expect(output).to.include("redis").and.to.include("prt").and.to.not.include("a-secret");
  });

  it("doesn't start with an option that it doesn't know", async () => {
    await using service = await NodeProcess.start({ main, args: ["--frob"] });
    expect(await service.untilEnds()).to.equal(78);
    expect(service.output.join("\n")).to.include("unknown option '--frob'");
  });
});
