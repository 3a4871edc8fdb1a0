import { mysqlChangedRows, postgresChangedRows } from "@lockstep/outbox";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import type { ChangedRows, LockstepError } from "@lockstep/core";
import { planIncremental } from "../../src/incremental/incremental-job.js";
import { join, pass } from "../../src/incremental/passes.js";
import type { IncrementalWork } from "../../src/incremental/room.js";
import { suggestion } from "../../src/incremental/suggest.js";
import { openStage, type SentRow, type Stage } from "./stage.js";

for (const kind of ["postgres", "mariadb"] as const) {
  describe(`passes of an incremental sync over ${kind}`, () => {
    let stage: Stage;
    const time = kind === "postgres" ? "timestamptz" : "timestamp(6)";
    const now = kind === "postgres" ? "clock_timestamp()" : "current_timestamp(6)";
    before(async () => {
      stage = await openStage(kind);
    });
    after(async () => stage[Symbol.asyncDispose]());

    const sql = (statement: string) => stage.source.query(statement);
    const make = async (name: string, columns: string, key: string, change = "changed_at"): Promise<void> => {
      await sql(`create table ${name} (${columns}, primary key (${key}))`);
      await sql(`create index ${name}_change on ${name} (${change})`);
    };
    const places = (rows: readonly SentRow[], ...at: number[]) =>
      rows.map((row) => at.map((i) => row[i + 1]).join(" "));

    it("send each row once, in the order of change and key, however many share a value, for any kind of key", async () => {
      await make(
        "composite",
        `region varchar(9), day date, id numeric(12,2), changed_at ${time}`,
        "region, day, id",
      );
      const at = (n: number) => `timestamp '2026-01-02 03:04:0${n}.5'`;
      const rows = [];
      for (let i = 0; i < 21; i++)
        rows.push(`('r${i % 2}', date '2026-01-0${1 + (i % 3)}', ${i}.25, ${at(Math.floor(i / 11))})`);
      await sql(`insert into composite values ${rows.join(", ")}`);
      const job = await stage.begin({ name: "composite" });
      const sent = await job.pass();
      const expected = await sql(
        "select region, day, id from composite order by changed_at, region, day, id",
      );
      expect(sent.length).to.equal(21);
      expect(places(sent, 2)).to.deep.equal(expected.map((row) => String(row["id"])));
      expect(await job.pass(), "a second time").to.deep.equal([]);
    });

    it("send a row whose transaction began before the cursor passed it and committed long after", async () => {
      await make("late", `id int, v int, changed_at ${time}`, "id");
      await make("late_number", "id int, v int, changed_at bigint", "id");
      for (const n of [0, 1, 2]) {
        await sql(`insert into late values (${n}, 0, ${now})`);
        await sql(`insert into late_number values (${n}, 0, ${n})`);
      }
      const job = await stage.begin({ name: "late" }, { name: "late_number", kind: "number" });
      expect((await job.pass()).length).to.equal(6);
      const slow = await stage.session();
      const idle = await stage.session();
      await idle.query("begin");
      await idle.query("select * from late");
      await slow.query("begin");
      await slow.query(`update late set v = 1, changed_at = ${now} where id = 1`);
      await slow.query("update late_number set v = 1, changed_at = 3 where id = 1");
      // Others go on, until the overlap alone would no longer reach back.
      const began = performance.now();
      let n = 3;
      await eventually(
        async () => {
          await sql(`update late set v = ${++n}, changed_at = ${now} where id = 2`);
          await sql(`update late_number set v = ${n}, changed_at = ${n} where id = 2`);
          expect(places(await job.pass(), 0, 1)).to.deep.equal([`2 ${n}`, `2 ${n}`]);
          return performance.now() - began > 1_200;
        },
        { what: "passes beyond the overlap" },
      );
      await slow.query("commit");
      expect(places(await job.pass(), 0, 1)).to.deep.equal(["1 1", "1 1"]);
      // One that has written nothing so far, and then what time it began at.
      await idle.query("update late set v = 1, changed_at = now() where id = 0");
      await idle.query("commit");
      expect(places(await job.pass(), 0, 1)).to.deep.equal(["0 1"]);
      expect(await job.pass()).to.deep.equal([]);
    });

    it("send rows that move in the order while they are read, and rows that come behind", async () => {
      await make("moving", `id int, v int, changed_at ${time}`, "id");
      const rows = Array.from({ length: 30 }, (_, i) => `(${i}, 0, timestamp '2026-01-01 00:00:00')`);
      await sql(`insert into moving values ${rows.join(", ")}`);
      const job = await stage.begin({ name: "moving" });
      let pages = 0;
      const sent = await job.pass(async () => {
        if (++pages > 5) return;
        await sql(`update moving set v = v + 1, changed_at = ${now} where id in (${pages}, ${29 - pages})`);
        await sql(`insert into moving values (${100 + pages}, 0, ${now})`);
      });
      expect(sent.length, "what was there when the pass began").to.be.at.most(30);
      const all = [...sent, ...(await job.pass())];
      const newest = new Map(places(all, 0, 1).map((row) => row.split(" ") as [string, string]));
      const expected = await sql("select id, v from moving order by id");
      expect(newest.size).to.equal(35);
      for (const row of expected)
        expect(newest.get(String(row["id"])), `row ${row["id"]}`).to.equal(String(row["v"]));
    });

    it("go on where another process was killed, and leave its last work to whoever has the job", async () => {
      await make("handed", `id int, changed_at ${time}`, "id");
      const rows = Array.from({ length: 20 }, (_, i) => `(${i}, timestamp '2026-01-01 00:00:0${i % 10}')`);
      await sql(`insert into handed values ${rows.join(", ")}`);
      const first = await stage.begin({ name: "handed" });
      const from = Number((await sql(lastOf(kind)))[0]!["last"]);
      let second: Awaited<ReturnType<typeof first.takeOver>> | undefined;
      let pages = 0;
      const killed = first.pass(async () => {
        if (++pages === 3) second = await first.takeOver();
      });
      await killed.then(
        () => expect.fail("it went on"),
        () => undefined,
      );
      await sql(`insert into handed values (20, timestamp '2026-01-01 00:00:30')`);
      await second!.pass();
      const all = Number((await sql(lastOf(kind)))[0]!["last"]) - from;
      expect(all, "rows in the outbox: each once, and the one that came after the pass had begun").to.equal(
        21,
      );
    });

    it("take a row for deleted that says so itself", async () => {
      await make("soft", `id int, deleted_at ${time} null, gone int, changed_at ${time}`, "id");
      await sql(`insert into soft values (1, null, 0, ${now}), (2, null, 0, ${now}), (3, ${now}, 1, ${now})`);
      const job = await stage.begin({ name: "soft", softDelete: "deleted_at" });
      expect((await job.pass()).map(([op, id]) => `${op}${id}`).sort()).to.deep.equal(["d3", "s1", "s2"]);
      await sql(`update soft set deleted_at = ${now}, changed_at = ${now} where id = 1`);
      await sql(`update soft set deleted_at = null, changed_at = ${now} where id = 3`);
      expect((await job.pass()).map(([op, id]) => `${op}${id}`)).to.deep.equal(["d1", "s3"]);
      const flagged = await stage.begin({ name: "soft", softDelete: "gone" });
      expect((await flagged.pass()).map(([op, id]) => `${op}${id}`).sort()).to.deep.equal(["d3", "s1", "s2"]);
    });

    it("notice columns that come and go, and rows that have no change value", async () => {
      await make("altered", `id int, changed_at ${time} null`, "id");
      await sql(`insert into altered values (1, ${now})`);
      const job = await stage.begin({ name: "altered" });
      expect((await job.pass()).length).to.equal(1);
      await sql("alter table altered add column note varchar(9)");
      await sql(`insert into altered values (2, ${now}, 'new')`);
      expect((await job.pass()).map((row) => row.length)).to.deep.equal([4, 4]);
      expect(job.work.progress.tables[0]!.hasUnmarked).to.equal(undefined);
      await sql("insert into altered values (3, null, 'lost')");
      expect(await job.pass()).to.deep.equal([]);
      expect(job.work.progress.tables[0]!.hasUnmarked).to.equal(true);
      await sql(`update altered set changed_at = ${now} where id = 3`);
      expect((await job.pass()).length).to.equal(1);
      expect(job.work.progress.tables[0]!.hasUnmarked).to.equal(undefined);
    });

    it("find the changes of a table that has got the column that is suggested", async () => {
      await sql("create table bare (id int primary key, v int)");
      await sql("insert into bare values (1, 0), (2, 0), (3, 0)");
      const table = { namespace: stage.source.namespace, name: "bare" };
      const surveyed = await stage.rows.survey(table);
      for (const statement of suggestion(surveyed!.schema).column) await sql(statement);
      const job = await stage.begin({ name: "bare" });
      expect((await job.pass()).length).to.equal(3);
      await sql("update bare set v = 1 where id = 2");
      await sql("insert into bare (id, v) values (4, 4)");
      expect(places(await job.pass(), 0, 1)).to.deep.equal(["2 1", "4 4"]);
    });

    it("bring a target that is new what was read before, and the others nothing twice", async () => {
      await make("joined", `id int, changed_at ${time}`, "id");
      await sql(`insert into joined values (1, ${now}), (2, ${now})`);
      const job = await stage.begin({ name: "joined" });
      await job.pass();
      const targets = ["mirror", "other"].map((id) => ({ id, name: id }));
      const { work } = job;
      work.progress = planIncremental({ targets, tables: work.options.tables }, work.progress);
      await sql(`insert into joined values (3, ${now})`);
      expect(await job.sent(() => join(work))).to.deep.equal([
        ["s", "1", "other"],
        ["s", "2", "other"],
        ["s", "3", "other"],
      ]);
      expect(work.progress.targets).to.deep.equal(["mirror", "other"]);
      expect(await job.sent(() => job.pass())).to.deep.equal([["s", "3", null]]);
    });

    if (kind === "postgres")
      it("aren't led astray by a value that is no number, and say that such rows are never found", async () => {
        await make("priced", "id int, n numeric", "id", "n");
        await sql("insert into priced values (1, 1), (2, 'NaN'), (3, 'Infinity')");
        const job = await stage.begin({ name: "priced", column: "n", kind: "number" });
        expect(places(await job.pass(), 0)).to.deep.equal(["1"]);
        await sql("insert into priced values (4, 2.5)");
        expect(places(await job.pass(), 0))
          .to.include("4")
          .and.not.include("2");
        const { progress } = job.work;
        expect(progress.tables[0]!.hasUnmarked).to.equal(true);
      });

    it("find rows that are gone, but not one that somebody is about to put back", async () => {
      await make("gone", `id int, changed_at ${time}`, "id");
      await sql(`insert into gone values (1, ${now}), (2, ${now}), (3, ${now})`);
      const job = await stage.begin({ name: "gone" });
      await job.pass();
      await sql("delete from gone where id in (2, 3)");
      const other = await stage.session();
      await other.query("begin");
      await other.query(`insert into gone values (3, ${now})`);
      const keys = async () => ({ keys: [["1"], ["2"], ["3"]] });
      // All that a comparison of keys asks of a target.
      const target = { name: "mirror", keys };
      let looks = 0;
      const absent: ChangedRows["absent"] = async (...asked) => {
        const found = await stage.rows.absent(...asked);
        if (++looks === 1) setTimeout(() => void other.query("commit"), 200);
        return found;
      };
      const targets = [{ target, routes: () => undefined }] as unknown as IncrementalWork["targets"];
      const work = { ...job.work, rows: { ...job.work.rows, absent }, targets };
      expect(await job.sent(() => pass(work, new Map(), true))).to.deep.include(["d", "2", "mirror"]);
      expect(looks).to.equal(2);
      expect(work.progress.tables[0]).to.include({ removed: 1 });
    });

    it("aren't led astray by a value of the far future", async () => {
      await make("future", `id int, changed_at ${time}`, "id");
      await sql(`insert into future values (1, timestamp '2037-01-01 00:00:00'), (2, ${now})`);
      const job = await stage.begin({ name: "future" });
      expect((await job.pass()).length).to.equal(2);
      await sql(`insert into future values (3, ${now})`);
      expect(places(await job.pass(), 0)).to.deep.equal(["3"]);
    });
  });
}

describe("an incremental sync whose session is ended", () => {
  it("goes on in another one", async () => {
    await using stage = await openStage("postgres");
    await stage.source.query("create table cut (id int primary key, changed_at timestamptz)");
    await stage.source.query("create index on cut (changed_at)");
    await stage.source.query(
      "insert into cut select n, timestamptz '2026-01-01' + n * interval '1 s' from generate_series(1, 12) n",
    );
    const job = await stage.begin({ name: "cut" });
    const end = `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'lockstep incremental test'`;
    let pages = 0;
    const sent = await job.sent(async () => {
      // It may be noticed between two statements, and then nothing fails.
      await job
        .pass(async () => (++pages === 3 ? stage.source.query(end) : undefined))
        .catch((error: LockstepError) => expect(error.code).to.equal("SOURCE_UNAVAILABLE"));
      await eventually(() => job.pass().catch(() => undefined), { what: "a pass" });
    });
    expect(sent.map(([, id]) => Number(id))).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });
});

describe("an incremental sync that may not see transactions", () => {
  it("waits for a number that was drawn before its transaction had an id", async () => {
    await using stage = await openStage("postgres");
    const { source } = stage;
    await source.query("create sequence drawn");
    await source.query("create table ledger (id int primary key, n bigint)");
    await source.query("create index on ledger (n)");
    await source.query("create role blind_reader login password 'blind'");
    await source.query("grant select on ledger to blind_reader");
    // The first number of some is logged, by which a transaction gets its id.
    await source.query("select nextval('drawn')");
    const rows = postgresChangedRows(stage.urlOf("blind_reader", "blind"), "test");
    try {
      const { schema } = (await rows.survey({ namespace: source.namespace, name: "ledger" }))!;
      const [slow, holder] = [await stage.session(), await stage.session()];
      await holder.query("select pg_advisory_lock(7)");
      // Neither a drawn number nor such a lock gives a transaction its id.
      const written = slow.query(
        "insert into ledger select 1, n from (select nextval('drawn') as n, pg_advisory_xact_lock(7)) x",
      );
      await eventually(
        async () => (await source.query("select last_value::text as last from drawn"))[0]!["last"] === "2",
        { what: "the number drawn" },
      );
      await source.query("insert into ledger values (2, nextval('drawn'))");
      const mark = await rows.mark({ schema, column: "n", kind: "number", overlapMs: 1_000 });
      expect(mark.value).to.equal("3");
      expect(await rows.ended(mark)).to.equal("open");
      await holder.query("select pg_advisory_unlock(7)");
      await written;
      expect(await rows.ended(mark)).to.equal("ended");
    } finally {
      await rows.close();
      await source.query("drop owned by blind_reader");
      await source.query("drop role blind_reader");
    }
  });

  it("knows that it doesn't, so that the overlap has to cover them", async () => {
    await using stage = await openStage("mariadb");
    const { source } = stage;
    await source.query("create table item (id int primary key, n int, key (n))");
    await source.query("create user blind@'%' identified by 'blind'");
    await source.query(`grant select on ${source.namespace}.* to blind@'%'`);
    const rows = mysqlChangedRows(stage.urlOf("blind", "blind"));
    try {
      const { schema } = (await rows.survey({ namespace: source.namespace, name: "item" }))!;
      const mark = await rows.mark({ schema, column: "n", kind: "number", overlapMs: 1_000 });
      expect(await rows.ended(mark)).to.equal("unseen");
      expect(await rows.survey({ namespace: "mysql", name: "user" })).to.equal(undefined);
    } finally {
      await rows.close();
      await source.query("drop user blind@'%'");
    }
  });
});

function lastOf(kind: "postgres" | "mariadb"): string {
  return kind === "postgres"
    ? "select coalesce(max(seq), 0) as last from lockstep.outbox"
    : "select coalesce(max(id), 0) as last from lockstep_outbox";
}
