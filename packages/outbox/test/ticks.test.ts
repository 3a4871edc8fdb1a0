import type { ChangeLog, RowNote } from "@lockstep/core";
import { expect } from "chai";
import { cutAll, keyOf, noteOf, readAll, type Session, type SourceDatabase } from "./fixture/database.js";
import { engines } from "./fixture/engines.js";

for (const engine of engines) {
  describe(`ticks on ${engine.name}`, () => {
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

    const insert = (session: Session, id: number): Promise<unknown> =>
      session.run(`insert into item values (${id}, 0)`);
    const save = (session: Session, id: number): Promise<void> =>
      session.transaction([noteOf(items, "insert", id)], () => insert(session, id));
    /** A transaction whose outbox rows are written, and which hasn't committed. */
    const begin = async (session: Session, id: number): Promise<void> => {
      await session.run("begin");
      await insert(session, id);
      await db.writer.append(session.run, [noteOf(items, "insert", id)], {});
    };

    it("cuts nothing when nothing is new", async () => {
      expect(await log.cut()).to.equal(undefined);
      expect(await log.top()).to.equal("0-0");
      await save(app, 1);
      expect(await log.cut()).to.deep.equal({ tick: 1n, events: 1 });
      expect(await log.cut()).to.equal(undefined);
      expect(await log.top()).to.equal("1-1");
    });

    it("doesn't lose a transaction that commits late with lower ids", async () => {
      const late = await db.session();
      await begin(late, 1);
      await save(app, 2);
      await cutAll(log);
      await save(app, 3);
      await cutAll(log);
      await late.run("commit");
      await cutAll(log);
      const events = await readAll(log);
      expect(events.map((event) => [event.tick, keyOf(event)])).to.deep.equal([
        [1n, "2"],
        [2n, "3"],
        [3n, "1"],
      ]);
    });

    it("gives a transaction that stays open over many ticks exactly once", async () => {
      const late = await db.session();
      await begin(late, 1);
      for (let id = 2; id < 12; id++) {
        await save(app, id);
        await log.cut();
      }
      await late.run("commit");
      await save(app, 12);
      await log.cut();
      const events = await readAll(log);
      expect(events.map(keyOf)).to.have.members(Array.from({ length: 12 }, (_, i) => String(i + 1)));
      expect(events.filter((event) => event.tick === 11n).map(keyOf)).to.deep.equal(["1", "12"]);
    });

    it("never changes the members of a tick", async () => {
      const late = await db.session();
      await begin(late, 1);
      await save(app, 2);
      await log.cut();
      const before = await readAll(log);
      await late.run("commit");
      await save(app, 3);
      const after = await readAll(log);
      await log.cut();
      expect(after).to.deep.equal(before);
      expect((await readAll(log)).slice(0, before.length)).to.deep.equal(before);
      expect((await readAll(db.log())).slice(0, before.length)).to.deep.equal(before);
    });

    it("orders the transactions of a tick by their last id, so that what depends on one comes behind it", async () => {
      const [first, second] = [await db.session(), await db.session()];
      // The second's first rows come before all of the first's, but it then changes a row that the first changed.
      await save(app, 7);
      await begin(second, 1);
      await begin(first, 2);
      await first.run("update item set n = 1 where id = 7");
      await db.writer.append(first.run, [noteOf(items, "update", 7)], {});
      await first.run("commit");
      await second.run("update item set n = 2 where id = 7");
      await db.writer.append(second.run, [noteOf(items, "update", 7)], {});
      await second.run("commit");
      await log.cut();
      const sevens = (await readAll(log)).filter((event) => keyOf(event) === "7").map((event) => event.image);
      expect(sevens).to.deep.equal(['["7","0"]', '["7","1"]', '["7","2"]']);
    });

    it("reads what another relay cut while it didn't lead", async () => {
      const other = db.log();
      const lead = async (relay: ChangeLog) => (await relay.lead())!;
      let leadership = await lead(log);
      for (const id of [1, 2]) {
        await save(app, id);
        await log.cut();
      }
      await leadership.release();
      leadership = await lead(other);
      await save(app, 3);
      await other.cut();
      await leadership.release();
      leadership = await lead(log);
      expect((await readAll(log, "1-1")).map(keyOf)).to.deep.equal(["2", "3"]);
      await leadership.release();
    });

    it("says where transactions and ticks end, and counts", async () => {
      await app.transaction([noteOf(items, "insert", 1), noteOf(items, "insert", 2)], async () => {
        await insert(app, 1);
        await insert(app, 2);
      });
      await save(app, 3);
      await log.cut();
      await save(app, 4);
      await log.cut();
      const events = await readAll(log);
      expect(
        events.map((e) => [e.tick, e.ordinal, keyOf(e), e.endsTransaction, e.endsTick, e.total]),
      ).to.deep.equal([
        [1n, 1, "1", false, false, 1],
        [1n, 2, "2", true, false, 2],
        [1n, 3, "3", true, true, 3],
        [2n, 1, "4", true, true, 4],
      ]);
      expect(events[0]!.transaction.id).to.equal(events[1]!.transaction.id);
      expect(Math.abs(events[0]!.transaction.at - Date.now())).to.be.lessThan(60_000);
    });

    it("lets two relays cut at once without giving an event twice", async () => {
      const relays = [log, db.log(), db.log()];
      const writing = (async () => {
        for (let id = 1; id <= 60; id++) await save(app, id);
      })();
      let over = false;
      void writing.then(() => (over = true));
      const fenced: unknown[] = [];
      await Promise.all(
        relays.map(async (relay) => {
          while (!over) await relay.cut().catch((error: unknown) => fenced.push(error));
        }),
      );
      await writing;
      await cutAll(log);
      const events = await readAll(db.log());
      expect(events.map((event) => Number(keyOf(event)))).to.deep.equal(
        Array.from({ length: 60 }, (_, i) => i + 1),
      );
      expect(events.at(-1)!.total).to.equal(60);
      for (const error of fenced) expect(error).to.have.property("code", "RELAY_FENCED");
    });

    it("reads from the middle of a tick", async () => {
      await app.transaction(
        [1, 2, 3, 4].map((id) => noteOf(items, "insert", id)),
        () => app.run("insert into item values (1, 0), (2, 0), (3, 0), (4, 0)"),
      );
      await log.cut();
      await save(app, 5);
      await log.cut();
      for (const pageEvents of [1, 2, 3, 100]) {
        const events = await readAll(log, "1-2", pageEvents);
        expect(events.map((event) => [event.tick, event.ordinal, keyOf(event)])).to.deep.equal([
          [1n, 3, "3"],
          [1n, 4, "4"],
          [2n, 1, "5"],
        ]);
      }
      expect(await readAll(log, "2-1")).to.deep.equal([]);
    });

    it("stops reading when it is told to", async () => {
      for (let id = 1; id <= 6; id++) {
        await save(app, id);
        await log.cut();
      }
      const stop = new AbortController();
      let seen = 0;
      for await (const page of log.read("0-0", { pageEvents: 2, signal: stop.signal })) {
        seen += page.length;
        stop.abort();
      }
      expect(seen).to.equal(2);
      for await (const page of log.read("0-0", { pageEvents: 1 })) {
        seen += page.length;
        break;
      }
      expect(seen).to.equal(3);
    });
  });
}
