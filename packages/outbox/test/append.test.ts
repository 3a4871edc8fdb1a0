import { isLockstepError, type ChangeLog, type RowNote } from "@lockstep/core";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import {
  cellsOf,
  cutAll,
  keyOf,
  noteOf,
  readAll,
  type Session,
  type SourceDatabase,
} from "./fixture/database.js";
import { engines } from "./fixture/engines.js";

for (const engine of engines) {
  describe(`appending on ${engine.name}`, () => {
    let db: SourceDatabase;
    let app: Session;
    let log: ChangeLog;
    let items: RowNote["table"];
    let parts: RowNote["table"];

    beforeEach(async () => {
      db = await engine.open();
      app = await db.session();
      log = db.log();
      items = { namespace: db.namespace, name: "item" };
      parts = { namespace: db.namespace, name: "part of it" };
      await app.run("create table item (id bigint primary key, name varchar(40))");
      await app.run(
        `create table ${db.quote("part of it")} (a int, b varchar(20), v text, primary key (b, a))`,
      );
      await db.writer.describe(app.run, [items, parts]);
    });
    afterEach(() => db.drop());

    const own = (table: string): string =>
      db.engine === "postgres" ? `lockstep.${table}` : `lockstep_${table}`;
    const logged = async (): Promise<(string | undefined)[][]> => {
      await cutAll(log);
      const events = await readAll(log);
      return events.map((e) => [e.op, e.table.name, e.key, e.image, ...(e.before ? [e.before] : [])]);
    };

    it("writes what the database holds at the flush, in the order of each row's last note", async () => {
      await app.transaction(
        [
          noteOf(items, "insert", 1),
          noteOf(items, "insert", 2),
          { table: parts, op: "insert", key: ["x", "7"] },
          noteOf(items, "update", 1),
        ],
        async () => {
          await app.run("insert into item values (1, 'one'), (2, 'two')");
          await app.run(`insert into ${db.quote("part of it")} values (7, 'x', null)`);
          await app.run("update item set name = 'uno' where id = 1");
        },
      );
      expect(await logged()).to.deep.equal([
        ["insert", "item", '["2"]', '["2","two"]'],
        ["insert", "part of it", '["x","7"]', '["7","x",null]'],
        ["insert", "item", '["1"]', '["1","uno"]'],
      ]);
    });

    it("keeps the order of notes however often tables and ops take turns", async () => {
      const ids = Array.from({ length: 12 }, (_, i) => i + 1);
      await app.run(`insert into item values ${ids.map((id) => `(${id}, 'old')`).join(", ")}`);
      await app.transaction(
        ids.flatMap((id): RowNote[] => [
          noteOf(items, id % 3 === 0 ? "delete" : "update", id),
          { table: parts, op: "insert", key: ["x", String(id)] },
        ]),
        async () => {
          await app.run("delete from item where id in (3, 6, 9, 12)");
          for (const id of ids)
            await app.run(`insert into ${db.quote("part of it")} values (${id}, 'x', null)`);
        },
      );
      expect((await logged()).map((event) => [event[0], event[2]])).to.deep.equal(
        ids.flatMap((id) => [
          [id % 3 === 0 ? "delete" : "update", `["${id}"]`],
          ["insert", `["x","${id}"]`],
        ]),
      );
    });

    it("writes a large transaction in parts: one transaction, in the order of notes, whatever the last part holds", async () => {
      const ids = Array.from({ length: 1100 }, (_, i) => i + 1);
      // The rows behind came and went inside: nothing is written of them.
      const gone = Array.from({ length: 600 }, (_, i) => noteOf(items, "insert", 5000 + i));
      await app.transaction(
        [
          ...ids.flatMap((id): RowNote[] => [
            noteOf(items, "insert", id),
            { table: parts, op: "insert", key: ["x", String(id)] },
          ]),
          ...gone,
        ],
        async () => {
          await app.run(`insert into item values ${ids.map((id) => `(${id}, 'n')`).join(", ")}`);
          await app.run(
            `insert into ${db.quote("part of it")} values ${ids.map((id) => `(${id}, 'x', null)`).join(", ")}`,
          );
        },
      );
      await cutAll(log);
      const events = await readAll(log);
      expect(events.map(({ key }) => key)).to.deep.equal(ids.flatMap((id) => [`["${id}"]`, `["x","${id}"]`]));
      expect(events.filter(({ endsTransaction }) => endsTransaction)).to.deep.equal([events.at(-1)]);
    });

    it("writes a delete for a row that is gone, and nothing for one that came and went inside", async () => {
      await app.run("insert into item values (1, 'one'), (2, 'two')");
      await app.transaction(
        [
          noteOf(items, "delete", 1),
          noteOf(items, "insert", 3),
          noteOf(items, "delete", 3),
          noteOf(items, "update", 2),
          noteOf(items, "delete", 2),
        ],
        () => app.run("delete from item"),
      );
      expect(await logged()).to.deep.equal([
        ["delete", "item", '["1"]', undefined],
        ["delete", "item", '["2"]', undefined],
      ]);
    });

    it("follows a row through a change of its key", async () => {
      await app.run("insert into item values (1, 'one'), (4, 'four')");
      await app.transaction([noteOf(items, "update", 2, "1"), noteOf(items, "update", 3, "2")], () =>
        app.run("update item set id = 3 where id = 1"),
      );
      await app.transaction([noteOf(items, "update", 5, "4"), noteOf(items, "delete", 5)], () =>
        app.run("delete from item where id = 4"),
      );
      expect(await logged()).to.deep.equal([
        ["update", "item", '["3"]', '["3","one"]', '["1"]'],
        ["delete", "item", '["4"]', undefined],
      ]);
    });

    it("leaves nothing of a transaction that rolls back, nor of a savepoint that does", async () => {
      await app.run("begin");
      await app.run("insert into item values (1, 'one')");
      await app.run("savepoint s");
      await app.run("insert into item values (2, 'two')");
      await db.writer.append(app.run, [noteOf(items, "insert", 2)], {});
      await app.run("rollback to savepoint s");
      await db.writer.append(app.run, [noteOf(items, "insert", 1)], {});
      await app.run("commit");
      await app.run("begin");
      await app.run("insert into item values (3, 'three')");
      await db.writer.append(app.run, [noteOf(items, "insert", 3)], {});
      await app.run("rollback");
      expect((await logged()).map((event) => event[2])).to.deep.equal(['["1"]']);
    });

    it("carries traceparent and origin, and says how many rows it wrote", async () => {
      await app.run("begin");
      await app.run("insert into item values (1, 'one')");
      const written = await db.writer.append(
        app.run,
        [noteOf(items, "insert", 1), noteOf(items, "insert", 9)],
        {
          traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
          origin: "other side",
        },
      );
      await app.run("commit");
      await cutAll(log);
      const [event] = await readAll(log);
      expect(written).to.equal(1);
      expect(event!.transaction).to.include({
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        origin: "other side",
      });
    });

    it("carries for which targets rows are, and of two-way tables versions; a table of an older format learns both", async () => {
      await app.run(`alter table ${own("outbox")} drop column audience, drop column version`);
      await app.run(`update ${own("state")} set format = 1`);
      await db.writer.ensure(app.run);
      const audience = ["0d9f", "1a2b"];
      await app.transaction([noteOf(items, "insert", 1)], () =>
        app.run("insert into item values (1, 'one')"),
      );
      await app.transaction([noteOf(items, "update", 1), noteOf(items, "delete", 9)], undefined, {
        audience,
      });
      await app.run(`update ${own("outbox")} set version = '{"stamp":1}' where op = 'd'`);
      await cutAll(log);
      const events = await readAll(log);
      expect(events.map((e) => [e.op, e.transaction.audience, e.version])).to.deep.equal([
        ["insert", undefined, undefined],
        ["update", audience, undefined],
        ["delete", audience, '{"stamp":1}'],
      ]);
    });

    it("gives a column that was added between two flushes a schema of its own", async () => {
      await app.transaction([noteOf(items, "insert", 1)], () =>
        app.run("insert into item values (1, 'one')"),
      );
      await app.run("alter table item add extra varchar(10) default 'x'");
      await app.transaction([noteOf(items, "update", 1)]);
      await app.run("alter table item drop column name");
      await app.transaction([noteOf(items, "update", 1)]);
      await cutAll(log);
      const events = await readAll(log);
      const schemas = await log.schemas();
      const shapes = events.map((event) => {
        const columns = schemas.find((schema) => schema.fingerprint === event.schema)!.columns;
        return Object.fromEntries(columns.map((column, i) => [column.name, cellsOf(event)[i]]));
      });
      expect(shapes).to.deep.equal([
        { id: "1", name: "one" },
        { id: "1", name: "one", extra: "x" },
        { id: "1", extra: "x" },
      ]);
      expect(new Set(events.map((event) => event.schema)).size).to.equal(3);
    });

    it("reads the right one of two tables that traded names", async () => {
      await app.run("create table other (id bigint primary key, name varchar(40))");
      const others = { ...items, name: "other" };
      await db.writer.describe(app.run, [others]);
      await app.run("insert into item values (1, 'item')");
      await app.run("insert into other values (1, 'other')");
      await app.transaction([noteOf(items, "update", 1)]);
      for (const [from, to] of [
        ["item", "aside"],
        ["other", "item"],
        ["aside", "other"],
      ]) {
        await app.run(`alter table ${from} rename to ${to}`);
      }
      await app.transaction([noteOf(items, "update", 1)]);
      await app.transaction([noteOf(items, "update", 1), noteOf(others, "update", 1)]);
      await app.run("drop table item");
      await app.run("create table item (name varchar(40), id bigint primary key)");
      await app.transaction([noteOf(items, "insert", 2)], () =>
        app.run("insert into item values ('new', 2)"),
      );
      expect((await logged()).map(([, table, , image]) => [table, image])).to.deep.equal([
        ["item", '["1","item"]'],
        ["item", '["1","other"]'],
        ["item", '["1","other"]'],
        ["other", '["1","item"]'],
        ["item", '["new","2"]'],
      ]);
    });

    it("registers a schema again when the transaction that met it first was rolled back", async () => {
      await app.run("alter table item add extra int");
      await app.run("begin");
      await app.run("insert into item values (1, 'one', 1)");
      await db.writer.append(app.run, [noteOf(items, "insert", 1)], {});
      await app.run("rollback");
      await app.transaction([noteOf(items, "insert", 2)], () =>
        app.run("insert into item values (2, 'two', 2)"),
      );
      await cutAll(log);
      const [event] = await readAll(log);
      expect((await log.schemas()).map((schema) => schema.fingerprint)).to.include(event!.schema);
    });

    it("locks the rows it reads, also those that were noted and not changed", async () => {
      await app.run("insert into item values (1, 'old')");
      const other = await db.session();
      await app.run("begin");
      await db.writer.append(app.run, [noteOf(items, "update", 1)], {});
      // An image of 'old' is in the outbox: nobody may change the row before it is committed, or the newer image could come first.
      const change = other.transaction([noteOf(items, "update", 1)], () =>
        other.run("update item set name = 'new' where id = 1"),
      );
      await eventually(() => db.someoneWaits(app), { what: "the other transaction waits for the row" });
      await app.run("commit");
      await change;
      await cutAll(log);
      expect((await readAll(log)).map((event) => cellsOf(event)[1])).to.deep.equal(["old", "new"]);
    });

    it("reads the row as it is now, whatever the transaction's snapshot shows", async () => {
      await app.run("insert into item values (1, 'old')");
      const other = await db.session();
      await app.run(db.engine === "postgres" ? "begin" : "start transaction with consistent snapshot");
      await other.run("update item set name = 'new' where id = 1");
      await db.writer.append(app.run, [noteOf(items, "update", 1)], {});
      await app.run("commit");
      await cutAll(log);
      expect(cellsOf((await readAll(log))[0])).to.deep.equal(["1", "new"]);
    });

    it("writes thousands of rows of one transaction in their order", async () => {
      const notes = Array.from({ length: 3_000 }, (_, i) => noteOf(items, "insert", 3_000 - i));
      const values = notes.map((note) => `(${note.key[0]}, 'n')`).join(", ");
      await app.transaction(notes, () => app.run(`insert into item values ${values}`));
      await cutAll(log);
      expect((await readAll(log)).map(keyOf)).to.deep.equal(notes.map((note) => note.key[0]));
    });

    it("fails the transaction when the flush fails", async () => {
      await app.run("create table keyless (a int)");
      for (const name of ["nowhere", "keyless"]) {
        await app.run("begin");
        const note: RowNote = { table: { namespace: db.namespace, name }, op: "insert", key: ["1"] };
        const failure = await db.writer.append(app.run, [note], {}).catch((error: unknown) => error);
        await app.run("rollback");
        expect(isLockstepError(failure, "OUTBOX_WRITE_FAILED")).to.equal(true);
        expect(String((failure as Error).cause)).to.match(
          name === "keyless" ? /no primary key/ : /does not exist/,
        );
      }
    });

    it("names every table that has no primary key", async () => {
      await app.run("create table keyless (a int)");
      await app.run("create table keyless_too (a int)");
      let failure: unknown;
      await db.writer
        .describe(app.run, [items, { ...items, name: "keyless" }, { ...items, name: "keyless_too" }])
        .catch((error: unknown) => (failure = error));
      expect(isLockstepError(failure, "TABLE_WITHOUT_PRIMARY_KEY")).to.equal(true);
      expect((failure as Error).message)
        .to.contain("keyless")
        .and.contain("keyless_too");
    });

    it("is made by several processes at once, checked, and removed without a trace", async () => {
      await db.writer.remove(app.run);
      let missing: unknown;
      await db.writer.check(app.run).catch((error: unknown) => (missing = error));
      expect(isLockstepError(missing, "OUTBOX_MISSING")).to.equal(true);
      const sessions = await Promise.all([db.session(), db.session(), db.session()]);
      await Promise.all(sessions.map((session) => db.writer.ensure(session.run)));
      await Promise.all(sessions.map((session) => db.writer.describe(session.run, [items, parts])));
      await db.writer.check(app.run);
      await db.writer.remove(app.run);
      await db.writer.ensure(app.run);
      await db.writer.check(app.run);
    });
  });
}
