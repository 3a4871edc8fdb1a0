import { eventually, NodeProcess, startMariaDb, startRedis } from "@lockstep/testing";
import { expect } from "chai";
import { applied } from "../../relay/source-writers.js";
import { joined, openStage, type Stage } from "../../relay/stage.js";
import type { TestLane } from "../../relay/test-lane.js";
import { type BinlogSource, openBinlogSource, type Session } from "./binlog-source.js";

const lanes = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"] as const;

describe("relay on the binlog", () => {
  let source: BinlogSource;
  let sessions: Session[];
  let stage: Stage;

  const open = async (url?: string): Promise<void> => {
    source = await openBinlogSource(url);
    await source.run("create table item (id bigint primary key, note varchar(60) not null)");
    await source.describe("item");
    sessions = await Promise.all([1, 2, 3, 4].map(() => source.session()));
  };
  afterEach(async () => {
    await stage.close();
    await source.close();
  });

  /** Random transactions on every session at once; some roll back, some are large. */
  const write = (transactions: number): Promise<unknown> =>
    Promise.all(
      sessions.map(async (session) => {
        for (let i = 0; i < transactions; i++) await transact(session).catch(refuseUnlessDeadlock);
      }),
    );

  const transact = async ({ run }: Session): Promise<void> => {
    const size = Math.random() < 0.05 ? 60 : 1 + Math.floor(Math.random() * 4);
    const ids = Array.from({ length: size }, () => Math.floor(Math.random() * 500));
    await run("begin");
    for (const id of [...new Set(ids)].toSorted((a, b) => a - b)) {
      await (Math.random() < 0.2
        ? run("delete from item where id = ?", [id])
        : run("insert into item values (?, ?) on duplicate key update note = values(note)", [
            id,
            `note ${Math.random()}`,
          ]));
    }
    await run(Math.random() < 0.1 ? "rollback" : "commit");
  };

  const followed = async (lane: TestLane): Promise<void> => {
    const rows = await source.run("select id, note from item");
    const expected = rows.map((row) => `${String(row["id"])},${String(row["note"])}`).toSorted();
    await eventually(
      async () => String([...applied(lane.entries)].map(String).toSorted()) === String(expected),
      {
        what: `${lane.id} to hold what the source holds`,
        timeoutMs: 30_000,
      },
    );
    const positions = lane.taken.map((position) => position.split("-").map(BigInt) as [bigint, bigint]);
    const isOrdered = positions.every((p, i) => {
      const before = positions[i - 1];
      return !before || p[0] > before[0] || (p[0] === before[0] && p[1] > before[1]);
    });
    expect(isOrdered).to.equal(true);
  };

  it("publishes what concurrent sessions commit, and nothing they roll back", async () => {
    await open();
    stage = await openStage();
    const relay = stage.relay({ log: source.log() });
    const lane = stage.lane(lanes[0]);
    await joined(lane);
    await write(60);
    await followed(lane);
    const registry = source.log();
    await eventually(async () => (await registry.targets()).every((t) => t.position === lane.position()));
    await eventually(async () => (await registry.backlog()).events === 0);
    const status = relay.status();
    expect(status.phase === "leading" && status.total).to.equal(lane.taken.length);
  });

  it("loses and repeats nothing while Redis is emptied, the log rotates and relays come and go", async () => {
    await open();
    await using redis = await startRedis();
    stage = await openStage(redis.url);
    const following = lanes.map((id) => stage.lane(id));
    let relay = stage.relay({ log: source.log() });
    for (const lane of following) await joined(lane);
    for (let round = 0; round < 6; round++) {
      const writing = write(15);
      if (round % 2 === 0) await stage.redis.flushall();
      else await source.run("flush binary logs");
      const next = stage.relay({ log: source.log(), limits: { maxEntryEvents: 3 + round } });
      await relay[Symbol.asyncDispose]();
      relay = next;
      await writing;
    }
    for (const lane of following) await followed(lane);
    await stage.close();
  });

  it("loses and repeats nothing while its process is killed at random moments", async () => {
    await open();
    stage = await openStage();
    const lane = stage.lane(lanes[0]);
    const main = new URL("relay-process.js", import.meta.url).pathname;
    const start = () => NodeProcess.start({ main, args: [source.url, stage.url, stage.source] });
    let relay = await start();
    await joined(lane);
    for (let round = 0; round < 8; round++) {
      const seen = lane.taken.length;
      const writing = write(20);
      await eventually(async () => lane.taken.length > seen + Math.random() * 60);
      await relay.kill();
      relay = await start();
      await writing;
    }
    await followed(lane);
    await relay.kill();
  });

  it("feeds a target that lagged from the log while the other goes on", async () => {
    await open();
    stage = await openStage();
    stage.relay({ log: source.log(), limits: { maxStreamEvents: 50, maxCatchUpEvents: 20 } });
    const [quick, slow] = lanes.map((id) => stage.lane(id)) as [TestLane, TestLane];
    await joined(quick);
    await joined(slow);
    slow.pause();
    await write(40);
    await followed(quick);
    slow.resume();
    await write(20);
    await followed(slow);
    await followed(quick);
    expect(slow.catchUps()).to.be.greaterThan(0);
  });

  it("stops at what can't be read, and goes on behind it when nobody follows any more", async () => {
    await open();
    stage = await openStage();
    const log = source.log();
    let terms = 0;
    const lead: typeof log.lead = () => (terms++, log.lead());
    const relay = stage.relay({ log: { ...log, lead } });
    const lane = stage.lane(lanes[0]);
    await joined(lane);
    await write(2);
    await followed(lane);
    const [first] = sessions;
    await first!.run("set session binlog_format = statement");
    await first!.run("insert into item values (1000, 'unread') on duplicate key update note = 'unread'");
    await first!.run("set session binlog_format = row");
    const isStopped = () => {
      const status = relay.status();
      return status.phase === "backing-off" && status.code === "CAPTURE_LOG_UNREADABLE";
    };
    await eventually(async () => isStopped());
    const registry = source.log();
    await registry.removeTarget(lanes[0]);
    const before = terms;
    await eventually(async () => terms > before);
    const next = stage.lane(lanes[1]);
    await joined(next);
    await first!.run("insert into item values (1001, 'read')");
    await eventually(async () => next.taken.length > 0);
    expect([...applied(next.entries)].map(String)).to.deep.equal(["1001,read"]);
  });

  it("goes on after the server was restarted, and after it crashed", async () => {
    await using server = await startMariaDb();
    await open(server.url);
    stage = await openStage();
    stage.relay({ log: source.log() });
    const lane = stage.lane(lanes[0]);
    await joined(lane);
    await write(20);
    await server.restart();
    sessions = await Promise.all([1, 2, 3, 4].map(() => source.session()));
    await write(20);
    const writing = write(500).catch(() => undefined);
    await eventually(async () => lane.taken.length > 100);
    await server.kill();
    await writing;
    await server.start();
    const check = await source.session();
    source = { ...source, run: check.run };
    sessions = await Promise.all([1, 2, 3, 4].map(() => source.session()));
    await write(10);
    await followed(lane);
    await stage.close();
    await source.close();
  });
});

/** It took the transaction back. */
function refuseUnlessDeadlock(error: unknown): void {
  if (error instanceof Error && "code" in error && error.code === "ER_LOCK_DEADLOCK") return;
  throw error;
}
