import { isLockstepError } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import type { Session, SourceDatabase } from "./fixture/database.js";
import { engines } from "./fixture/engines.js";

/** How each engine says it. `brief`: the shortest time that a session waits for a table; `patient`: what an upgrade may make others wait, and then some. */
const sql = {
  postgres: {
    outbox: "lockstep.outbox",
    state: "lockstep.state",
    write: "insert into lockstep.outbox (op, fingerprint, key) values ('b', '', '[]')",
    brief: "set lock_timeout = '50ms'",
    patient: "set lock_timeout = '20s'",
    kept: "select current_setting('lock_timeout') as kept",
    waiting: "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    id: "select pg_backend_pid() as id",
  },
  mysql: {
    outbox: "lockstep_outbox",
    state: "lockstep_state",
    write:
      "insert into lockstep_outbox (at, op, fingerprint, row_key) values (utc_timestamp(6), 'b', '', '[]')",
    brief: "set session lock_wait_timeout = 0",
    patient: "set session lock_wait_timeout = 20",
    kept: "select @@session.lock_wait_timeout as kept",
    waiting:
      "select 1 from information_schema.processlist where db = database() and state like 'Waiting for table metadata lock'",
    id: "select connection_id() as id",
  },
};

for (const engine of engines) {
  describe(`an outbox on ${engine.name} that is in use`, () => {
    let db: SourceDatabase;
    let [holder, app, upgrading]: Session[] = [];
    let say: (typeof sql)["postgres" | "mysql"];

    beforeEach(async () => {
      db = await engine.open();
      [holder, app, upgrading] = [await db.session(), await db.session(), await db.session()];
      say = sql[db.engine];
      await holder.run(`alter table ${say.outbox} drop column version`);
      await holder.run(`update ${say.state} set format = 1`);
      await holder.run("begin");
      await holder.run(say.write);
    });
    afterEach(() => db.drop());

    async function refusalOf(work: Promise<void>): Promise<string> {
      const error: unknown = await work.then(
        () => undefined,
        (failure: unknown) => failure,
      );
      expect(isLockstepError(error, "CAPTURE_INSTALL_WAITS"), String(error)).equal(true);
      return String(error);
    }

    async function holderId(): Promise<string> {
      return String((await holder!.run(say.id))[0]?.["id"]);
    }

    it("is upgraded around a transaction that stays open: whoever writes meanwhile waits for a moment only", async () => {
      const upgraded = db.writer.ensure(upgrading!.run);
      await eventually(async () => (await app!.run(say.waiting)).length > 0, { what: "the upgrade to wait" });
      // The test's own bound: behind an upgrade that waits for as long as it takes it would be refused.
      await app!.run(say.patient);
      await app!.run(say.write);
      await holder!.run("commit");
      await upgraded;
      await db.writer.check(app!.run);
      await app!.run(`select version from ${say.outbox}`);
    });

    it("is not upgraded as long as it stays open: who is in the way is named, and nothing is held", async () => {
      await upgrading!.run(say.brief);
      const [before] = await upgrading!.run(say.kept);
      const id = await holderId();
      const isNamed = async () => (await refusalOf(db.writer.ensure(upgrading!.run))).includes(id);
      await eventually(isNamed, { what: "who is in the way to be named" });
      expect((await upgrading!.run(say.kept))[0]).deep.equal(before);
      await app!.run(say.write);
      await holder!.run("rollback");
      // The server itself looks into tables now and then.
      await upgrading!.run(say.patient);
      await db.writer.ensure(upgrading!.run);
      await db.writer.check(app!.run);
    });

    it("is not removed as long as it stays open: who is in the way is named, and the outbox is there", async () => {
      await upgrading!.run(say.brief);
      const [before] = await upgrading!.run(say.kept);
      const id = await holderId();
      const isNamed = async () => (await refusalOf(db.writer.remove(upgrading!.run))).includes(id);
      await eventually(isNamed, { what: "who is in the way to be named" });
      expect((await upgrading!.run(say.kept))[0]).deep.equal(before);
      await app!.run(say.write);
      await holder!.run("rollback");
      // The server itself looks into tables now and then.
      await upgrading!.run(say.patient);
      await db.writer.remove(upgrading!.run);
      await db.writer.ensure(upgrading!.run);
    });
  });
}
