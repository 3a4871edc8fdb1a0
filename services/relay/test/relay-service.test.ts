import { fileURLToPath } from "node:url";
import { splitPosition, type Position, type RunStatement } from "@lockstep/core";
import { postgresOutboxWriter } from "@lockstep/outbox";
import { redisStreamReader, type ChangeJob } from "@lockstep/stream";
import { eventually, freshPostgres, freshRedis, NodeProcess, type FreshDatabase } from "@lockstep/testing";
import { Queue } from "bullmq";
import { expect } from "chai";
import pg from "pg";

const main = fileURLToPath(new URL("../main.js", import.meta.url));
const file = "lockstep.config.json";
const target = { id: "00000000-0000-4000-8000-000000000001", name: "t", address: "t", partition: 0 };
const table = { namespace: "public", name: "item" };

describe("relay service", () => {
  let database: FreshDatabase;
  let redis: FreshDatabase;
  let client: pg.Client;
  let source: string;
  const started: NodeProcess[] = [];

  const start = async (more: object = { url: database.url }): Promise<NodeProcess> => {
    const config = { redis: redis.url, sources: { [source]: more }, drainTimeoutMs: 5_000 };
    const child = await NodeProcess.start({
      main,
      args: ["--config", file],
      files: { [file]: JSON.stringify(config) },
    });
    started.push(child);
    return child;
  };
  const run: RunStatement = async (sql, parameters) =>
    (await client.query<Record<string, unknown>>(sql, parameters ? [...parameters] : undefined)).rows;
  let last = 0;
  const commit = async (): Promise<void> => {
    const id = String(++last);
    await run("begin");
    await run("insert into public.item values ($1)", [id]);
    await postgresOutboxWriter().append(run, [{ table, op: "insert", key: [id] }], {});
    await run("commit");
  };

  beforeEach(async () => {
    database = await freshPostgres();
    redis = await freshRedis();
    source = `s${Math.random().toString(36).slice(2)}`;
    last = 0;
    client = new pg.Client(database.url);
    await client.connect();
    await run("create table public.item (id bigint primary key)");
    await postgresOutboxWriter().ensure(run);
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((child) => child[Symbol.asyncDispose]()));
    await client.end();
    await Promise.all([database.drop(), redis.drop()]);
  });

  it("is killed and started again while the source is written to: nothing lost, nothing twice", async () => {
    const reader = redisStreamReader({ redis: redis.url, source });
    try {
      let relay = await start();
      const confirmation = await eventually(
        async () => {
          await reader.announce(target);
          return reader.confirmation(target);
        },
        { what: "a confirmation" },
      );
      const standby = await start();
      const keys: string[] = [];
      let position: Position = confirmation.start;
      const readAll = async (): Promise<boolean> => {
        for (const entry of await reader.read({ partition: 0 }, position, { maxEntries: 50, blockMs: 50 })) {
          position = entry.id;
          keys.push(...entry.events.map((e) => String((JSON.parse(e.key) as string[])[0])));
        }
        return keys.length >= last;
      };
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 40; i++) await commit();
        await relay.kill();
        for (let i = 0; i < 20; i++) await commit();
        await eventually(readAll, { what: "every key" });
        relay = await start();
      }
      expect(keys).to.deep.equal(Array.from({ length: last }, (_, i) => String(i + 1)));
      expect(splitPosition(position).tick > 0n).to.equal(true);
      expect(standby.running).to.equal(true);
    } finally {
      await reader.close();
    }
  });

  it("publishes what is committed and ends with 0 on SIGTERM", async () => {
    const reader = redisStreamReader({ redis: redis.url, source });
    try {
      const relay = await start();
      await relay.untilSays("relay leads");
      await eventually(async () => {
        await reader.announce(target);
        return reader.confirmation(target);
      });
      await commit();
      expect(await relay.stop()).to.equal(0);
      const entries = await reader.read({ partition: 0 }, "0-0", { maxEntries: 10, blockMs: 0 });
      expect(entries.flatMap((e) => e.events)).to.have.length(1);
    } finally {
      await reader.close();
    }
  });

  it("hands changes of configured tables to a queue of the user's own", async () => {
    const relay = await start({ url: database.url, queues: { "public.item": "item-changed" } });
    await relay.untilSays("relay leads");
    const registered = async (): Promise<boolean> => (await run("select from lockstep.target")).length === 1;
    await eventually(registered, { what: "the queue's registration" });
    await commit();
    await commit();
    const queue = new Queue<ChangeJob>("item-changed", { connection: { url: redis.url } });
    try {
      const jobs = await eventually(async () => {
        const found = await queue.getWaiting();
        return found.length === 2 && found;
      });
      const ids = jobs.map(({ data }) => [data.source, data.table, data.key["id"]]).toSorted();
      expect(ids).to.deep.equal([
        [source, "public.item", "1"],
        [source, "public.item", "2"],
      ]);
    } finally {
      await queue.close();
    }
    expect(await relay.stop()).to.equal(0);
  });

  it("refuses to start with another capture than the one that the source's targets follow", async () => {
    await postgresOutboxWriter().keepCapture(run, { kind: "trigger" });
    const other = await start({ url: database.url });
    await other.untilSays("relay leads");
    await other.kill();
    await run(
      "insert into lockstep.target (id, partition, name, address, tick, n) values ($1, 0, 't', 't', 0, 0)",
      [target.id],
    );
    const refused = await start({ url: database.url });
    expect(await refused.untilEnds()).to.equal(1);
    expect(refused.output.join("\n")).to.contain("CAPTURE_CHANGED");
    const right = await start({ url: database.url, capture: "trigger" });
    await right.untilSays("relay leads");
    expect(await right.stop()).to.equal(0);
  });

  it("says what is missing when no source has a url", async () => {
    const relay = await start({});
    expect(await relay.untilEnds()).to.equal(78);
    expect(relay.output.join("\n")).to.match(/needs the url of at least one source/);
  });
});
