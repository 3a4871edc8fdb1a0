import { comparePositions, type ChangeLog, positionOf, type RowNote } from "@lockstep/core";
import { expect } from "chai";
import { cutAll, keyOf, noteOf, readAll, type Session, type SourceDatabase } from "./fixture/database.js";
import { engines } from "./fixture/engines.js";

for (const engine of engines) {
  describe(`barrier on ${engine.name}`, () => {
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
    const begin = async (session: Session, id: number): Promise<void> => {
      await session.run("begin");
      await insert(session, id);
      await db.writer.append(session.run, [noteOf(items, "insert", id)], {});
    };
    const positionOfKey = async (key: number) => {
      const event = (await readAll(log)).find((e) => keyOf(e) === String(key))!;
      return positionOf(event.tick, event.ordinal);
    };

    it("is the end of the last tick while nothing is uncut, and writes nothing", async () => {
      expect(await log.barrier(10_000)).to.equal("0-0");
      await save(app, 1);
      await cutAll(log);
      expect(await log.barrier(10_000)).to.equal("1-1");
      expect(await cutAll(log)).to.deep.equal([]);
    });

    it("waits for the tick, and says so when nobody cuts it", async () => {
      await save(app, 1);
      const error = await log.barrier(60).catch((e: unknown) => e);
      expect(error).to.have.property("code", "RELAY_SILENT");
      const barrier = log.barrier(10_000);
      await cutAll(log);
      expect(await barrier).to.equal("1-1");
    });

    it("isn't held back by a transaction that is open, or by what is committed afterwards", async () => {
      const [late, other] = [await db.session(), await db.session()];
      await begin(late, 1);
      await save(app, 2);
      const barrier = log.barrier(10_000);
      let next = 3;
      let isOver = false;
      const writing = (async () => {
        while (!isOver) await save(other, next++);
      })();
      const cutting = (async () => {
        while (!isOver) await log.cut();
      })();
      const position = await barrier.finally(() => (isOver = true));
      await Promise.all([writing, cutting]);
      expect(comparePositions(await positionOfKey(2), position)).to.be.at.most(0);
      await late.run("commit");
      await cutAll(log);
      expect(comparePositions(await positionOfKey(1), position)).to.be.greaterThan(0);
    });

    it("covers whatever was committed before it, with writers at work", async () => {
      const writers = await Promise.all([1, 2, 3].map(() => db.session()));
      const cutter = db.log();
      const committed = new Map<number, boolean>();
      const seen: {
        readonly position: Awaited<ReturnType<ChangeLog["barrier"]>>;
        readonly keys: number[];
      }[] = [];
      let isOver = false;
      let isAnswered = false;
      const cutting = (async () => {
        while (!isAnswered) await cutter.cut();
      })();
      const asking = (async () => {
        while (!isOver) {
          const keys = [...committed.keys()];
          seen.push({ keys, position: await log.barrier(10_000) });
        }
      })();
      await Promise.all(
        writers.map(async (session, w) => {
          for (let i = 0; i < 60; i++) {
            await save(session, w * 1_000 + i);
            committed.set(w * 1_000 + i, true);
          }
        }),
      );
      isOver = true;
      // What the last one asked about may not be cut yet.
      await asking.finally(() => (isAnswered = true));
      await cutting;
      await cutAll(log);
      const events = await readAll(log);
      const at = new Map(events.map((e) => [Number(keyOf(e)), positionOf(e.tick, e.ordinal)]));
      const late = seen.flatMap(({ keys, position }) =>
        keys.filter((key) => comparePositions(at.get(key)!, position) > 0),
      );
      expect(late).to.deep.equal([]);
      expect(seen.length).to.be.greaterThan(5);
    });
  });
}
