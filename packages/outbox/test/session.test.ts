import { isLockstepError, type ChangeLog, type RowNote } from "@lockstep/core";
import { startProxy } from "@lockstep/testing";
import { expect } from "chai";
import { mysqlChangeLog, postgresChangeLog } from "../src/index.js";
import { keyOf, noteOf, readAll, type Session, type SourceDatabase } from "./fixture/database.js";
import { engines } from "./fixture/engines.js";

for (const engine of engines) {
  describe(`the relay's sessions on ${engine.name}`, () => {
    let db: SourceDatabase;
    let app: Session;
    let log: ChangeLog;
    let items: RowNote["table"];

    beforeEach(async () => {
      db = await engine.open();
      app = await db.session();
      log = db.log();
      items = { namespace: db.namespace, name: "item" };
      await app.run("create table item (id bigint primary key, n int)");
      await db.writer.describe(app.run, [items]);
    });
    afterEach(() => db.drop());

    const save = (id: number): Promise<void> =>
      app.transaction([noteOf(items, "insert", id)], () => app.run(`insert into item values (${id}, 0)`));

    it("lets one lead, and the next when that one lets go", async () => {
      const other = db.log();
      const first = await log.lead();
      expect(first).to.not.equal(undefined);
      expect(await other.lead()).to.equal(undefined);
      await first!.release();
      await first!.lost;
      const second = await other.lead();
      expect(second).to.not.equal(undefined);
      await second!.release();
    });

    it("says that leadership is lost when its session ends", async () => {
      const leadership = await log.lead();
      if (db.engine === "postgres") {
        await app.run(
          "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted",
        );
      } else {
        const [row] = await app.run(
          "select id from information_schema.processlist where db = database() and id <> connection_id() order by id desc limit 1",
        );
        await app.run(`kill ${String(row!["id"])}`);
      }
      await leadership!.lost;
      const again = await log.lead();
      expect(again).to.not.equal(undefined);
      await again!.release();
    });

    it("wakes up for a commit, also one whose flush came before the wait", async () => {
      await app.run("begin");
      await app.run("insert into item values (1, 0)");
      await db.writer.append(app.run, [noteOf(items, "insert", 1)], {});
      const woken = (async () => {
        for (;;) {
          await log.wait(30_000);
          if (await log.cut()) return;
        }
      })();
      await app.run("commit");
      await woken;
      const wokenAgain = log.wait(30_000);
      await save(2);
      await wokenAgain;
      await log.cut();
      expect((await readAll(log)).map(keyOf)).to.deep.equal(["1", "2"]);
    });

    it("waits no longer than it is told, and not at all when it is told to stop", async () => {
      await log.wait(1);
      const stop = new AbortController();
      const waiting = log.wait(600_000, stop.signal);
      stop.abort();
      await waiting;
      await log.wait(600_000, stop.signal);
    });

    it("has the same identity at every look, another for each database and for an outbox made anew", async () => {
      const other = await engine.open();
      try {
        const mine = await log.incarnation();
        expect(await db.log().incarnation()).to.equal(mine);
        expect(await other.log().incarnation()).to.not.equal(mine);
        await db.writer.remove(app.run);
        await db.writer.ensure(app.run);
        expect(await log.incarnation()).to.not.equal(mine);
      } finally {
        await other.drop();
      }
    });

    it("calls a source that can't be reached by its name, and goes on when it is back", async () => {
      const { hostname, port } = new URL(db.url);
      const proxy = await startProxy({ host: hostname, port: Number(port) });
      const open = db.engine === "postgres" ? postgresChangeLog : mysqlChangeLog;
      const far = open({ connection: proxy.url(db.url), source: "test" });
      try {
        await save(1);
        expect(await far.cut()).to.deep.equal({ tick: 1n, events: 1 });
        await proxy.cut();
        for (const attempt of [
          () => far.cut(),
          () => far.top(),
          () => far.lead(),
          () => readAll(far, "0-0"),
        ]) {
          const failure = await attempt().catch((error: unknown) => error);
          expect(isLockstepError(failure, "SOURCE_UNAVAILABLE"), String(failure)).to.equal(true);
        }
        await proxy.heal();
        expect((await readAll(far)).map(keyOf)).to.deep.equal(["1"]);
      } finally {
        await far.close();
        await proxy[Symbol.asyncDispose]();
      }
    });

    it("says that the outbox is missing where there is none", async () => {
      await db.writer.remove(app.run);
      for (const attempt of [() => log.cut(), () => log.top(), () => log.incarnation()]) {
        const failure = await attempt().catch((error: unknown) => error);
        expect(isLockstepError(failure, "OUTBOX_MISSING"), String(failure)).to.equal(true);
      }
    });
  });
}
