import { isLockstepError, positionOf, type ChangeLog, type ErrorCode } from "@lockstep/core";
import { eventually, startPostgres } from "@lockstep/testing";
import { expect } from "chai";
import { LogFollower, openWalSource, told, type WalSource } from "./wal-source.js";

const target = { id: "00000000-0000-4000-8000-000000000001", name: "t", address: "a", partition: 0 };

describe("the write-ahead log: slot", () => {
  let source: WalSource;

  beforeEach(async () => {
    source = await openWalSource();
    await source.sql("create table item (id bigint primary key, note text)");
    await source.install("item");
  });
  afterEach(async () => {
    await source[Symbol.asyncDispose]();
  });

  const insert = (id: number, count = 1) =>
    source.sql(`insert into item select n, 'note' from generate_series(${id}, ${id + count - 1}) n`);
  const slot = async (): Promise<{ readonly confirmed: bigint; readonly held: number }> => {
    const [row] = await source.sql(
      `select (confirmed_flush_lsn - '0/0')::text as confirmed, (pg_current_wal_lsn() - confirmed_flush_lsn)::text as held
         from pg_replication_slots where database = current_database() and not temporary`,
    );
    return { confirmed: BigInt(row!["confirmed"]!), held: Number(row!["held"]) };
  };
  const codeOf = async (work: Promise<unknown>): Promise<ErrorCode | undefined> => {
    const error: unknown = await work.catch((error: unknown) => error);
    return isLockstepError(error) ? error.code : undefined;
  };

  it("is confirmed only as far as every following target has applied", async () => {
    const log = source.log();
    const follower = await LogFollower.lead(log);
    const { position: start } = await log.register(target);
    for (let id = 1; id <= 3; id++) await insert(id);
    const events = await follower.until(3);
    const published = follower.at;
    await log.prune({ published });
    expect((await slot()).confirmed <= BigInt(start.split("-")[0]!)).to.equal(true);
    expect((await log.backlog()).events).to.equal(3);
    await log.acknowledge([{ ...target, position: positionOf(events[1]!.tick, 1) }]);
    await log.prune({ published });
    await eventually(async () => (await slot()).confirmed === events[1]!.tick);
    expect((await log.backlog()).events).to.equal(1);
    await log.acknowledge([{ ...target, position: published }]);
    await eventually(async () => {
      await log.prune({ published });
      return (await slot()).confirmed > events[2]!.tick;
    });
    expect(await log.backlog()).to.include({ events: 0, oldestMs: 0 });
    expect(await log.prunedThrough()).to.equal(published);
  });

  it("gives the rest of a transaction, with the same positions and totals, to a relay that begins in its middle", async () => {
    const first = source.log();
    const follower = await LogFollower.lead(first);
    await first.register(target);
    await insert(1);
    await insert(10, 500);
    await insert(1_000);
    const whole = [...(await follower.until(502))];
    await first.acknowledge([{ ...target, position: positionOf(whole[0]!.tick, 1) }]);
    await first.prune({ published: follower.at });
    await follower.release();
    const middle = whole[200]!;
    const again = await LogFollower.lead(source.log(), positionOf(middle.tick, middle.ordinal));
    expect(await again.until(301)).to.deep.equal(whole.slice(201));
    await again.release();
    const fromStart = await LogFollower.lead(source.log(), positionOf(whole[0]!.tick, 1));
    expect(await fromStart.until(501)).to.deep.equal(whole.slice(1));
  });

  it("keeps places while a slow target holds it, so that another relay counts on from the end", async () => {
    const log = source.log();
    const follower = await LogFollower.lead(log);
    await log.register(target);
    for (let id = 1; id <= 4; id++) await insert(id);
    await follower.until(4);
    await log.prune({ published: follower.at });
    const [row] = await source.sql("select markers::text as markers from lockstep.wal");
    const kept = JSON.parse(row!["markers"]!) as readonly (readonly [string, number, number])[];
    expect(kept.slice(1).map(([tick, total]) => [tick, total])).to.deep.equal(
      follower.events.map((e, i) => [String(e.tick), i]),
    );
  });

  it("follows the log of an idle database while others are busy, so that it holds nothing back", async () => {
    const log = source.log();
    const follower = await LogFollower.lead(log);
    await log.register(target);
    await insert(1);
    await follower.until(1);
    await log.acknowledge([{ ...target, position: follower.at }]);
    const other = await openWalSource();
    await other.sql("create table noise (body text)");
    await other.sql("insert into noise select repeat(md5(n::text), 30) from generate_series(1, 8000) n");
    expect((await slot()).held).to.be.greaterThan(6_000_000);
    await eventually(async () => {
      await log.prune({ published: follower.at });
      return (await slot()).held < 2_000_000;
    });
    await other[Symbol.asyncDispose]();
    // Nothing was skipped on the way.
    await insert(2);
    expect((await follower.until(2)).map(told)).to.deep.equal([
      'insert ["1"] ["1","note"]',
      'insert ["2"] ["2","note"]',
    ]);
    expect(follower.events.map((e) => e.total)).to.deep.equal([1, 2]);
  });

  it("lets go of what is published while nobody follows, and counts on after a restart", async () => {
    const log = source.log();
    const follower = await LogFollower.lead(log);
    await insert(1, 5);
    await follower.until(5);
    await eventually(async () => {
      await log.prune({ published: follower.at });
      return (await log.prunedThrough()) === follower.at;
    });
    const before = follower.at;
    await follower.release();
    await insert(6);
    const next = await LogFollower.lead(source.log(), before);
    expect((await next.until(1)).map((e) => [told(e), e.total])).to.deep.equal([
      ['insert ["6"] ["6","note"]', 6],
    ]);
    expect(await codeOf(new LogFollower(source.log(), "1-0").look())).to.equal("HISTORY_GONE");
  });

  it("confirms at publication past the limit, where that is chosen", async () => {
    const log = source.log({ retention: { maxHeldBytes: 1, confirm: "published" } });
    const follower = await LogFollower.lead(log);
    const { position } = await log.register(target);
    await insert(1);
    await insert(2);
    await follower.until(2);
    expect(await log.backlog()).to.include({ events: 2, maxHeldLogBytes: 1 });
    await eventually(async () => {
      await log.prune({ published: follower.at });
      return (await slot()).confirmed > follower.events[1]!.tick;
    });
    expect(await codeOf(new LogFollower(log, position).look())).to.equal("HISTORY_GONE");
    // It still follows by the stream.
    expect((await log.targets())[0]!.state).to.equal("following");
  });

  it("marks a target that lags beyond the retention, and goes on without it", async () => {
    const log = source.log({ retention: { maxAgeMs: 200 } });
    const follower = await LogFollower.lead(log);
    await log.register(target);
    await insert(1);
    await insert(2);
    await follower.until(2);
    await eventually(async () => {
      await log.prune({ published: follower.at });
      return (await log.targets())[0]!.state === "needs-backfill";
    });
    await eventually(async () => {
      await log.prune({ published: follower.at });
      return (await slot()).confirmed > follower.events[1]!.tick;
    });
  });

  for (const [what, lose] of [
    [
      "is gone",
      "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = current_database()",
    ],
    [
      "was read by somebody else",
      "select pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) from pg_replication_slots where database = current_database()",
    ],
    [
      "has lost its publication",
      "do $$ declare p text; begin for p in select pubname from pg_publication loop execute 'drop publication ' || quote_ident(p); end loop; end $$",
    ],
  ] as const) {
    it(`says so when it ${what}, and never makes another one by itself`, async () => {
      await insert(1);
      await source.sql(lose);
      const log: ChangeLog = source.log();
      expect(await codeOf(log.top())).to.equal("CAPTURE_LOG_LOST");
      const { findings, statements } = await source.plan("item");
      if (!what.includes("somebody")) expect(findings.map(({ problem }) => problem)).to.include("refused");
      expect(statements.some((s) => s.includes("pg_create_logical_replication_slot"))).to.equal(false);
      const before = await codeOf(log.incarnation());
      expect(before).to.equal("CAPTURE_LOG_LOST");
      await source.remove();
      await source.install("item");
      expect(await codeOf(log.top())).to.equal(undefined);
    });
  }

  it("says so when a publication was away for a while, though it is there again, and nothing of what follows is given", async () => {
    const follower = await LogFollower.lead(source.log());
    await insert(1);
    await follower.until(1);
    const [row] = await source.sql("select pubname from pg_publication where pubviaroot");
    const name = row!["pubname"];
    await source.sql(`drop publication ${name}`);
    await insert(2);
    await source.sql(`create publication ${name} for table item with (publish_via_partition_root)`);
    await insert(3);
    for (let looks = 0; looks < 2; looks++) {
      await eventually(async () => (await codeOf(follower.look())) === "CAPTURE_LOG_LOST");
    }
    expect(follower.events.map(told)).to.deep.equal(['insert ["1"] ["1","note"]']);
  });

  it("says so when the server removed the log that it needs", async () => {
    await using server = await startPostgres({
      settings: { max_slot_wal_keep_size: "1MB", max_wal_size: "32MB", min_wal_size: "32MB" },
    });
    await using own = await openWalSource(server.url);
    await own.sql("create table item (id bigint primary key, note text)");
    await own.install("item");
    const log = own.log();
    const old = await log.incarnation();
    await own.sql("create table noise (body text)");
    for (let i = 0; i < 3; i++) {
      await own.sql("insert into noise select repeat(md5(n::text), 30) from generate_series(1, 20000) n");
      await own.sql("select pg_switch_wal()");
      await own.sql("checkpoint");
    }
    expect(await codeOf(log.top())).to.equal("CAPTURE_LOG_LOST");
    await own.remove();
    await own.install("item");
    const follower = await LogFollower.lead(log);
    await own.sql("insert into item values (1, 'note')");
    await follower.until(1);
    // Targets of the lost history must not take the new one for its continuation.
    expect(await log.incarnation()).not.to.equal(old);
  });

  it("is taken over from a reader that doesn't let go of it", async () => {
    const stuck = await source.connect();
    const follower = await LogFollower.lead(source.log());
    await insert(1);
    await follower.until(1);
    // The lock is free, the walsender is not: as after the loss of a machine.
    await stuck.query(
      "select pg_terminate_backend(l.pid) from pg_locks l where l.locktype = 'advisory' and l.pid <> pg_backend_pid() and database = (select oid from pg_database where datname = current_database())",
    );
    const next = await LogFollower.lead(source.log(), follower.at);
    await insert(2);
    expect((await next.until(1)).map(told)).to.deep.equal(['insert ["2"] ["2","note"]']);
  });

  it("empties the outbox of what others wrote there: the log has it", async () => {
    const table = { namespace: "public", name: "item" };
    const log = source.log();
    const follower = await LogFollower.lead(log);
    await source.sql("begin");
    await insert(1);
    await source.writer.append(source.sql, [{ table, op: "insert", key: ["1"] }], {});
    await source.sql("commit");
    await follower.until(2);
    await log.prune({ published: follower.at });
    expect(await source.sql("select from lockstep.outbox")).to.deep.equal([]);
    await insert(2);
    expect((await follower.until(3)).map((e) => e.total)).to.deep.equal([1, 2, 3]);
  });

  it("is taken away with everything else", async () => {
    await source.sql("create table doc (id int primary key, body text)");
    await source.install("item", "doc");
    const identity =
      "select relname, relreplident::text from pg_class where relname in ('item', 'doc') order by 1";
    expect((await source.sql(identity)).map((r) => r["relreplident"])).to.deep.equal(["f", "f"]);
    const log = source.log();
    const follower = await LogFollower.lead(log);
    await insert(1);
    await follower.until(1);
    // Also while it is read.
    await source.remove();
    expect(
      await source.sql("select slot_name from pg_replication_slots where database = current_database()"),
    ).to.deep.equal([]);
    expect(await source.sql("select pubname from pg_publication")).to.deep.equal([]);
    expect((await source.sql(identity)).map((r) => r["relreplident"])).to.deep.equal(["d", "d"]);
    expect(await codeOf(log.top())).to.equal("CAPTURE_NOT_INSTALLED");
  });
});
