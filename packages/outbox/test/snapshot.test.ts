import type { ChangeLog, ClaimedJob, JobStore, RowNote, SnapshotChunk, SnapshotWriter } from "@lockstep/core";
import { expect } from "chai";
import {
  mysqlJobStore,
  mysqlSnapshotWriter,
  postgresJobStore,
  postgresSnapshotWriter,
} from "../src/index.js";
import { cellsOf, cutAll, noteOf, readAll, type Session, type SourceDatabase } from "./fixture/database.js";
import { engines } from "./fixture/engines.js";

type Key = readonly string[];

for (const engine of engines) {
  describe(`existing rows as events on ${engine.name}`, () => {
    let db: SourceDatabase;
    let app: Session;
    let log: ChangeLog;
    let jobs: JobStore;
    let claim: ClaimedJob;
    let snapshots: SnapshotWriter;

    beforeEach(async () => {
      db = await engine.open();
      app = await db.session();
      log = db.log();
      const isPostgres = db.engine === "postgres";
      jobs = isPostgres
        ? postgresJobStore({ connection: db.url, source: "test" })
        : mysqlJobStore({ connection: db.url });
      snapshots = isPostgres ? postgresSnapshotWriter() : mysqlSnapshotWriter();
      claim = (await jobs.claim((await jobs.begin({ kind: "full", options: {}, progress: {} })).id))!;
    });
    afterEach(async () => {
      await claim[Symbol.asyncDispose]();
      await jobs.close();
      await db.drop();
    });

    const table = (name: string): RowNote["table"] => ({ namespace: db.namespace, name });
    const audience = ["mirror"];

    /** One chunk in a step of its own; gives where the next goes on. */
    const chunk = async (wanted: Omit<SnapshotChunk, "table">, name = "item"): Promise<Key | undefined> => {
      let last: Key | undefined;
      await claim.step(async (run) => {
        last = (await snapshots.append(run, { table: table(name), ...wanted }, { audience })).last;
        return { progress: {} };
      });
      return last;
    };
    /** The whole table, in chunks of so many rows; gives how many they were. */
    const copy = async (name: string, rows: number, where?: string): Promise<number> => {
      const { through } = await snapshots.survey(app.run, table(name));
      let after: Key | undefined;
      for (let chunks = 1; ; chunks++) {
        after = await chunk(
          { through: through!, rows, ...(after && { after }), ...(where && { where }) },
          name,
        );
        if (after === undefined) return chunks;
      }
    };
    const events = async () => {
      await cutAll(log);
      return readAll(log);
    };
    const images = async () => (await events()).map((event) => cellsOf(event).join("|"));

    it("every row once, by key, with its audience, in chunks that end where the next begins", async () => {
      await app.run("create table item (id bigint primary key, v varchar(20))");
      await app.run(
        `insert into item values ${range(25)
          .map((i) => `(${i * 3 - 10}, 'v${i}')`)
          .join(", ")}`,
      );
      expect(await copy("item", 10)).to.equal(3);
      expect(await images()).to.deep.equal(range(25).map((i) => `${i * 3 - 10}|v${i}`));
      for (const { op, transaction } of await events()) {
        expect([op, transaction.audience]).to.deep.equal(["snapshot", audience]);
      }
    });

    it("a table whose rows fill its last chunk has no empty one behind it", async () => {
      await app.run("create table item (id bigint primary key)");
      await app.run("insert into item values (1), (2), (3), (4)");
      expect(await copy("item", 2)).to.equal(2);
      expect(await copy("item", 4)).to.equal(1);
      expect(await copy("item", 1)).to.equal(4);
      expect(await images()).to.have.length(12);
    });

    it("keys of several columns, of texts and of dates, in the order of the database", async () => {
      await app.run(
        `create table item (at timestamp not null, b varchar(20) not null, a int not null, v int, primary key (b, a, at))`,
      );
      const keys = range(40).map((i) => [["", "a", "B", "é ", "z'\\"][i % 5]!, i % 7, i] as const);
      for (const [b, a, i] of keys) {
        await app.run(
          `insert into item values ('2026-01-02 03:04:${String(i).padStart(2, "0")}', ${literal(db, b)}, ${a}, ${i})`,
        );
      }
      await copy("item", 3);
      const found = (await events()).map((event) => cellsOf(event)[3]);
      expect(found).to.have.length(40);
      expect(new Set(found).size).to.equal(40);
    });

    it("uuids and bytes as keys", async () => {
      const [uuid, bytes] = db.engine === "postgres" ? ["uuid", "bytea"] : ["char(36)", "varbinary(16)"];
      await app.run(`create table item (id ${uuid} not null, b ${bytes} not null, primary key (id, b))`);
      const hex = (i: number): string => (i * 7919).toString(16).padStart(12, "0");
      for (const i of range(20)) {
        const value = db.engine === "postgres" ? `'\\x${hex(i)}'` : `x'${hex(i)}'`;
        await app.run(`insert into item values ('00000000-0000-4000-8000-${hex(i)}', ${value})`);
      }
      await copy("item", 6);
      expect(new Set(await images()).size).to.equal(20);
    });

    it("only rows that meet a condition, and a condition that is none is refused before anything is written", async () => {
      await app.run("create table item (id int primary key, v varchar(20))");
      await app.run(
        `insert into item values ${range(30)
          .map((i) => `(${i}, 'v${i % 3}')`)
          .join(", ")}`,
      );
      await copy("item", 7, "v = 'v1' -- of the second kind");
      expect(await images()).to.deep.equal(
        range(30)
          .filter((i) => i % 3 === 1)
          .map((i) => `${i}|v1`),
      );
      for (const where of ["v =", "nothing = 1", "1 = 1; delete from item", "v = 'v1') or (1 = 1 limit 1"]) {
        const error = await snapshots
          .survey(app.run, table("item"), where)
          .catch((caught: unknown) => caught);
        expect(error, where).to.include({ code: "SYNC_CONDITION_INVALID" });
      }
      expect(await app.run("select 1 as one from item")).to.have.length(30);
    });

    it("a row that another session changes meanwhile is written as it commits, or not at all when it has gone on", async () => {
      await app.run("create table item (id int primary key, v varchar(20))");
      await app.run(
        `insert into item values ${range(10)
          .map((i) => `(${i}, 'old')`)
          .join(", ")}`,
      );
      const moves: [string, string][] = [
        ["update item set v = 'new' where id = 3", "3|new"],
        ["delete from item where id = 4", ""],
        ["update item set id = 104 where id = 5", ""],
      ];
      for (const [statement] of moves) {
        await app.run("begin");
        await app.run(statement);
        const tried = chunk({ through: ["9"], rows: 10 }).then(
          () => "written",
          (error: unknown) => (claim.yielded(error) ? "yielded" : error),
        );
        expect(await tried, statement).to.equal("yielded");
        await app.run("commit");
      }
      await chunk({ through: ["9"], rows: 10 });
      expect(await images()).to.deep.equal([
        "0|old",
        "1|old",
        "2|old",
        "3|new",
        ...range(4).map((i) => `${i + 6}|old`),
      ]);
    });

    it("the application never waits for longer than a chunk takes, and is never the one that a deadlock ends", async () => {
      await app.run("create table item (id int primary key, v int)");
      await app.run(
        `insert into item values ${range(200)
          .map((i) => `(${i}, 0)`)
          .join(", ")}`,
      );
      const writers = await Promise.all(range(3).map(() => db.session()));
      let isOver = false;
      const slowest = Promise.all(
        writers.map(async (writer, w) => {
          let most = 0;
          // From the back: against the order in which the chunk locks.
          for (let n = 0; !isOver; n = (n + 37) % 190) {
            await writer.run("begin");
            for (const id of [n + 9 + w, n + 3]) {
              const began = performance.now();
              await writer.run(`update item set v = v + 1 where id = ${id}`);
              most = Math.max(most, performance.now() - began);
            }
            await writer.run("commit");
          }
          return most;
        }),
      );
      let written = 0;
      let yields = 0;
      for (const until = performance.now() + 2_500; performance.now() < until || written + yields <= 10;) {
        await chunk({ through: ["199"], rows: 200 }).then(
          () => written++,
          (error: unknown) => {
            if (!claim.yielded(error)) throw error;
            yields++;
          },
        );
      }
      isOver = true;
      // Behind a chunk that waits for as long as the servers' own settings let it, it would be the better part of a minute, or for ever.
      expect(Math.max(...(await slowest))).to.be.lessThan(10_000);
    });

    it("takes its place: an image never stands behind a newer one of the same row", async () => {
      await app.run("create table item (id int primary key, v int)");
      await app.run(
        `insert into item values ${range(50)
          .map((i) => `(${i}, 0)`)
          .join(", ")}`,
      );
      const writers = await Promise.all(range(3).map(() => db.session()));
      let isOver = false;
      const work = Promise.all(
        writers.map(async (writer, w) => {
          for (let n = w; !isOver; n = (n + 7) % 50) {
            await writer.transaction([noteOf(table("item"), "update", n)], () =>
              writer.run(`update item set v = v + 1 where id = ${n}`),
            );
          }
        }),
      );
      let written = 0;
      for (let n = 0; n < 150; n++) {
        await chunk({ after: [String((n * 11) % 47)], through: ["49"], rows: 3 }).then(
          () => written++,
          (error: unknown) => {
            if (!claim.yielded(error)) throw error;
          },
        );
      }
      expect(written).to.be.greaterThan(20);
      isOver = true;
      await work;
      await chunk({ through: ["49"], rows: 50 });
      const newest = new Map<string, number>();
      for (const event of await events()) {
        const [id, v] = cellsOf(event);
        expect(Number(v), `row ${id}`).to.be.at.least(newest.get(id!) ?? 0);
        newest.set(id!, Number(v));
      }
      expect(newest.size).to.equal(50);
    });

    it("deletes what the source doesn't have, and never what somebody is about to commit", async () => {
      await app.run("create table item (id int primary key, v varchar(20))");
      await app.run("insert into item values (1, 'one'), (5, 'five')");
      const keys = range(8).map((i) => [String(i)]);
      const candidates = await snapshots.absent(app.run, table("item"), keys);
      expect(candidates.map(([id]) => Number(id))).to.deep.equal([0, 2, 3, 4, 6, 7]);
      const judge = (): Promise<boolean> =>
        claim.step(
          async (run) => {
            await snapshots.appendAbsent(run, table("item"), candidates, { audience });
            return { progress: {} };
          },
          { absence: true },
        );
      const other = await db.session();
      await other.run("begin");
      await other.run("insert into item values (3, 'three')");
      const error = await judge().catch((caught: unknown) => caught);
      expect(claim.yielded(error), String(error)).to.equal(true);
      await other.run("commit");
      await judge();
      const told = (await events()).map(({ op, key, transaction }) => [op, key, transaction.audience]);
      expect(told.filter(([op]) => op === "delete").map(([, key]) => key)).to.have.members(
        [0, 2, 4, 6, 7].map((id) => `["${id}"]`),
      );
      expect(told.every(([, , of]) => String(of) === "mirror")).to.equal(true);
    });

    it("one of a kind at a time; a job goes on where it was kept, and not behind a pause", async () => {
      const second = await jobs.begin({ kind: "full", options: {}, progress: {} }).catch((e: unknown) => e);
      expect(second).to.include({ code: "JOB_LIVE" });
      expect(await jobs.claim(claim.id)).to.equal(undefined);
      expect(await claim.step(async () => ({ progress: { n: 1 } }))).to.equal(true);
      await jobs.move(claim.id, "paused");
      expect(await claim.step(async () => ({ progress: { n: 2 } }))).to.equal(false);
      expect(await claim.read()).to.deep.include({ progress: { n: 1 }, state: "paused", kind: "full" });
      await jobs.move(claim.id, "running");
      const { [Symbol.asyncDispose]: end } = claim;
      await end();
      claim = (await jobs.claim(claim.id))!;
      expect(await claim.step(async () => ({ progress: { n: 3 } }))).to.equal(true);
      expect((await jobs.move(claim.id, "done")).finishedAt).to.be.a("number");
      const wrong = await jobs.move(claim.id, "running").catch((e: unknown) => e);
      expect(wrong).to.include({ code: "JOB_STATE" });
      expect(await jobs.move("12345", "paused").catch((e: unknown) => e)).to.include({ code: "JOB_UNKNOWN" });
      expect((await jobs.list({ kind: "full", limit: 5 })).map(({ state }) => state)).to.deep.equal(["done"]);
      expect(await jobs.list({ kind: "verify", limit: 5 })).to.deep.equal([]);
      await jobs.begin({ kind: "full", options: {}, progress: {} });
    });
  });
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

function literal(db: SourceDatabase, text: string): string {
  const doubled = text.replaceAll("'", "''");
  return db.engine === "postgres" ? `'${doubled}'` : `'${doubled.replaceAll("\\", "\\\\")}'`;
}
