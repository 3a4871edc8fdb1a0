import type { ChangeLog } from "@lockstep/core";
import { eventually, NodeProcess, startProxy, startRedis } from "@lockstep/testing";
import { expect } from "chai";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { applied } from "../../relay/source-writers.js";
import { joined, openStage, type Stage } from "../../relay/stage.js";
import type { TestLane } from "../../relay/test-lane.js";
import { openWalSource, type WalSource } from "./wal-source.js";

describe("the write-ahead log: relay", () => {
  let source: WalSource;
  let stage: Stage;

  beforeEach(async () => {
    source = await openWalSource();
    await source.sql("create table item (id bigint primary key, note varchar(60) not null)");
    await source.install("item");
  });
  afterEach(async () => {
    await stage.close();
    await source[Symbol.asyncDispose]();
  });

  const laneOf = (n: number): TestLane => stage.lane(`00000000-0000-4000-8000-00000000000${n}`);

  /** Random transactions on several sessions at once; gives how many changes they committed. */
  async function write(transactions: number, sessions = 3): Promise<number> {
    const counts = await Promise.all(
      Array.from({ length: sessions }, async (_, session) => {
        const client = await source.connect();
        let committed = 0;
        for (let i = 0; i < transactions; i++) {
          let changes = 0;
          const size = Math.random() < 0.05 ? 120 : 1 + Math.floor(Math.random() * 4);
          await client.query("begin");
          for (let j = 0; j < size; j++) {
            // A range of its own per session, so that no session waits for another's rows in the wrong order.
            const id = session * 1_000 + Math.floor(Math.random() * 300);
            const result =
              Math.random() < 0.2
                ? await client.query("delete from item where id = $1", [id])
                : await client.query(
                    "insert into item values ($1, $2) on conflict (id) do update set note = excluded.note",
                    [id, `note ${Math.random()}`],
                  );
            changes += result.rowCount ?? 0;
          }
          const commits = Math.random() < 0.9;
          await client.query(commits ? "commit" : "rollback");
          if (commits) committed += changes;
        }
        await client.end();
        return committed;
      }),
    );
    return counts.reduce((a, b) => a + b, 0);
  }

  /** Waits until a lane holds what the source holds; nothing may have come twice or in another order. */
  async function followed(lane: TestLane, changes: number): Promise<void> {
    const rows = await source.sql("select id::text as id, note from item");
    const expected = rows.map(({ id, note }) => [id!, note!] as const).toSorted();
    const isThere = async (): Promise<boolean> =>
      lane.taken.length >= changes && String([...applied(lane.entries)].toSorted()) === String(expected);
    await eventually(isThere, { what: `${lane.id} to hold what the source holds` });
    const places = lane.taken.map((position) => position.split("-").map(Number) as [number, number]);
    const disorder = places.findIndex((p, i) => {
      const before = places[i - 1];
      return before !== undefined && (p[0] < before[0] || (p[0] === before[0] && p[1] !== before[1] + 1));
    });
    expect(disorder).to.equal(-1);
    expect(lane.taken.length).to.equal(changes);
    expect(lane.entries.at(-1)!.total).to.equal(changes);
  }

  it("publishes what concurrent sessions commit, and nothing they roll back", async () => {
    stage = await openStage();
    const log = source.log();
    const relay = stage.relay({ log });
    const lane = laneOf(1);
    await joined(lane);
    const changes = await write(60);
    await followed(lane, changes);
    await eventually(async () => (await source.log().targets()).every((t) => t.position === lane.position()));
    const status = relay.status();
    expect(status.phase === "leading" && status.total).to.equal(changes);
    expect(await log.backlog()).to.include({ events: 0, oldestMs: 0 });
  });

  it("loses and repeats nothing while Redis is emptied and relays come and go", async () => {
    await using redis = await startRedis();
    stage = await openStage(redis.url);
    const lanes = [laneOf(1), laneOf(2)];
    let log: ChangeLog = source.log();
    let relay = stage.relay({ log });
    for (const lane of lanes) await joined(lane);
    let changes = 0;
    for (let round = 0; round < 6; round++) {
      const writing = write(15);
      if (round % 2 === 0) await stage.redis.flushall();
      log = source.log();
      const next = stage.relay({ log, limits: { maxEntryEvents: 3 + round } });
      await relay[Symbol.asyncDispose]();
      relay = next;
      changes += await writing;
    }
    for (const lane of lanes) await followed(lane, changes);
    await stage.close();
  });

  it("loses and repeats nothing when its process is killed at random moments", async () => {
    stage = await openStage();
    const start = async (): Promise<NodeProcess> => {
      const script = fileURLToPath(new URL("./relay-process.js", import.meta.url));
      const child = await NodeProcess.start({ main: script, args: [source.url, stage.url, stage.source] });
      await child.untilSays("started");
      return child;
    };
    let relay = await start();
    const lane = laneOf(1);
    await joined(lane);
    let changes = 0;
    for (let round = 0; round < 5; round++) {
      const writing = write(30);
      await sleep(Math.random() * 300);
      await relay.kill();
      relay = await start();
      changes += await writing;
    }
    await followed(lane, changes);
    await relay.kill();
  });

  it("feeds a target that fell behind while others go on, and keeps the log for it", async () => {
    stage = await openStage();
    const log = source.log();
    stage.relay({ log, limits: { maxStreamEvents: 200, maxCatchUpEvents: 100 } });
    const [quick, slow] = [laneOf(1), laneOf(2)];
    for (const lane of [quick, slow]) await joined(lane);
    slow.pause();
    let changes = await write(100);
    await followed(quick, changes);
    slow.resume();
    changes += await write(20);
    await followed(slow, changes);
    await followed(quick, changes);
    expect(slow.catchUps()).to.be.greaterThan(0);
    await eventually(async () => (await log.backlog()).events === 0);
    const isTidy = async (): Promise<boolean> =>
      (
        await source.sql(
          "select slot_name from pg_replication_slots where temporary and database = current_database()",
        )
      ).length === 0;
    await eventually(isTidy, { what: "the slot of the catching up to be gone" });
  });

  it("waits while the source can't be reached, and goes on", async () => {
    await using proxy = await startProxy({ port: Number(new URL(source.url).port) });
    stage = await openStage();
    const relay = stage.relay({ log: source.log({ connection: proxy.url(source.url) }) });
    const lane = laneOf(1);
    await joined(lane);
    let changes = await write(5);
    await followed(lane, changes);
    await proxy.cut();
    changes += await write(5);
    await eventually(async () => relay.status().phase === "backing-off");
    await proxy.heal();
    await followed(lane, changes);
  });
});
