import { type ConflictWrite, type GuardedRows, isSameRow, type TargetTransaction } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";
import { awkwardRows, kinds } from "./values.js";

/** What a target knows of rows that others write, too: a tier of its own for targets that can have conflict policies. */
export function guardedContract(context: ContractContext): void {
  const table = (name: string) =>
    contractTable(context.fixture, name, { id: "integer", note: "string", at: "timestamp" });

  for (const source of ["postgres", "mysql"] as const) {
    it(`knows its rows of ${source} again, and shows those that were changed as the source would print them`, async () => {
      const columns = {
        id: "integer",
        ...Object.fromEntries(kinds.map((kind) => [`c_${kind}`, kind])),
      } as const;
      const all = contractTable(context.fixture, `guarded_${source}`, columns, { source });
      const lane = await openLane(await context.target({ schema: "managed" }), `guarded ${source}`);
      const target = await lane.table(all);
      const rows = awkwardRows(source, 300).map((image) => all.row(...image));
      const keys = rows.map(({ key }) => key);
      await lane.step(async (transaction) => {
        await guardedOf(transaction).insert(target, rows);
        await guardedOf(transaction).keepBases(target, rows);
      });
      await lane.step(async (transaction) => {
        const guarded = guardedOf(transaction);
        const looks = await guarded.look(target, keys);
        expect(new Set(looks.map(({ state }) => state))).deep.equal(new Set(["unchanged"]));
        expect(looks.some(({ image }) => image !== undefined)).equal(false);
        const shown = await guarded.look(target, keys, "all");
        for (const [i, { image = [] }] of shown.entries())
          expect(isSameRow(all.schema, image, rows[i]!.image), JSON.stringify([image, rows[i]!.image])).equal(
            true,
          );
      });
      await lane.close();
    });
  }

  it("tells what somebody else changed, made or deleted from what it left, and gives both", async () => {
    const items = table("guarded_items");
    await items.create();
    const lane = await openLane(await context.target(), "guarded items");
    const target = await lane.table(items);
    const rows = [1, 2, 3].map((id) => items.row(String(id), "mine", null));
    await lane.step(async (transaction) => {
      await guardedOf(transaction).insert(target, rows);
      await guardedOf(transaction).keepBases(target, rows);
    });
    const { quote, name } = quoting(context, items.name);
    await context.fixture.run(`update ${name} set ${quote("note")} = 'theirs' where ${quote("id")} = 2`);
    await context.fixture.run(`delete from ${name} where ${quote("id")} = 3`);
    await context.fixture.run(`insert into ${name} values (4, 'theirs', null)`);
    const keys = [5, 4, 3, 2, 1].map((id) => items.key(String(id)));
    await lane.step(async (transaction) => {
      expect(await guardedOf(transaction).look(target, keys)).deep.equal([
        { state: "absent" },
        { state: "changed", image: ["4", "theirs", null] },
        { state: "changed", base: ["3", "mine", null] },
        { state: "changed", image: ["2", "theirs", null], base: ["2", "mine", null] },
        { state: "unchanged" },
      ]);
    });
    await lane.close();
  });

  it("keeps a decision against the source until both agree again, and forgets a table's bases when it is told to", async () => {
    const items = table("guarded_decided");
    await items.create();
    const lane = await openLane(await context.target(), "guarded decided");
    const target = await lane.table(items);
    const row = items.row("1", "mine", null);
    const decided = JSON.stringify({ id: "1", note: "source", at: null });
    await lane.step(async (transaction) => {
      const guarded = guardedOf(transaction);
      await guarded.insert(target, [row]);
      await guarded.keepBases(target, [
        { key: row.key, decided },
        { key: items.key("2"), decided },
        { key: items.key("3") },
        { key: items.key("4"), decided: "null" },
      ]);
    });
    const keys = [1, 2, 3, 4].map((id) => items.key(String(id)));
    await lane.step(async (transaction) => {
      const guarded = guardedOf(transaction);
      expect(await guarded.look(target, keys)).deep.equal([
        { state: "changed", image: ["1", "mine", null], base: ["1", "source", null] },
        { state: "changed", base: ["1", "source", null] },
        { state: "absent" },
        { state: "absent" },
      ]);
      await guarded.keepBases(target, [{ key: row.key }]);
      expect((await guarded.look(target, [row.key]))[0]?.state).equal("unchanged");
      await guarded.dropBases(target);
      expect(await guarded.look(target, keys.slice(0, 2))).deep.equal([
        { state: "changed", image: ["1", "mine", null] },
        { state: "absent" },
      ]);
    });
    await lane.close();
  });

  it("doesn't overwrite what was made meanwhile, and takes rows, bases and records back together", async () => {
    const items = table("guarded_made");
    await items.create();
    const target = await context.target();
    const lane = await openLane(target, "guarded made");
    const made = await lane.table(items);
    const { name } = quoting(context, items.name);
    await context.fixture.run(`insert into ${name} values (2, 'theirs', null)`);
    await lane.step(async (transaction) => {
      const guarded = guardedOf(transaction);
      const rows = [items.row("1", "mine", null), items.row("2", "mine", null)];
      const refused = await rejection(
        transaction.savepoint(async () => {
          await guarded.keepBases(made, rows.slice(1));
          await guarded.record([conflictOf(items.id, "1")]);
          await guarded.insert(made, rows);
        }),
      );
      expect(target.classify(refused)).include({ kind: "row", code: "TARGET_UNIQUE" });
      expect((await guarded.look(made, [items.key("2")]))[0]).deep.equal({
        state: "changed",
        image: ["2", "theirs", null],
      });
    });
    expect(await items.rows()).deep.equal([["2", "theirs", null]]);
    expect((await target.conflicts!.list({ source: "guarded made" }, { limit: 5 })).conflicts).deep.equal([]);
    await lane.close();
  });

  it("lists what was decided, the newest first, in pages and by filters, and forgets what is old or too much", async () => {
    const target = await context.target();
    const desk = target.conflicts!;
    const lane = await openLane(target, "guarded listed");
    const at = Date.now() - 60_000;
    await lane.step(async (transaction) => {
      const all = [1, 2, 3, 4, 5].map((n) => conflictOf(n < 5 ? "app.items" : "app.other", String(n)));
      await guardedOf(transaction).record(all);
    });
    const source = "guarded listed";
    const keysOf = async (filter: object, limit = 10): Promise<string[]> =>
      (await desk.list({ source, ...filter }, { limit })).conflicts.map(({ key }) => key);
    expect(await keysOf({})).deep.equal(['["5"]', '["4"]', '["3"]', '["2"]', '["1"]']);
    const { conflicts, next } = await desk.list({ source, table: "items" }, { limit: 3 });
    expect(conflicts.map(({ key }) => key)).deep.equal(['["4"]', '["3"]', '["2"]']);
    const rest = await desk.list({ source, table: "items" }, { limit: 3, cursor: next! });
    expect([rest.conflicts.map(({ key }) => key), rest.next]).deep.equal([['["1"]'], undefined]);
    expect(await keysOf({ table: "app.other" })).deep.equal(['["5"]']);
    expect(await keysOf({ table: "other.items" })).deep.equal([]);
    expect(await keysOf({ outcome: "target" })).deep.equal([]);
    expect(await keysOf({ since: at })).length(5);
    expect(await keysOf({ since: Date.now() + 60_000 })).deep.equal([]);
    const detail = await desk.get(conflicts[0]!.id);
    expect(detail).deep.include({
      policy: "merge",
      outcome: "merged",
      position: "1-7",
      images: { source: '{"a":"1"}', target: '{"a":null}' },
    });
    expect(detail!.at).within(at, Date.now() + 60_000);
    expect(await desk.get("999999999999")).equal(undefined);
    expect(await desk.get("no id")).equal(undefined);
    await lane.session.pruneConflicts!({ before: at, most: 3, limit: 100 });
    expect(await keysOf({})).length(3);
    await lane.session.pruneConflicts!({ before: Date.now() + 60_000, most: 3, limit: 2 });
    expect(await keysOf({})).deep.equal(['["5"]']);
    await lane.close();
  });
}

function guardedOf({ guarded }: TargetTransaction): GuardedRows {
  if (guarded === undefined) throw new Error("this target can't tell who wrote its rows");
  return guarded;
}

function quoting({ fixture }: ContractContext, table: string) {
  const quote = (name: string): string => (fixture.engine === "postgres" ? `"${name}"` : `\`${name}\``);
  return { quote, name: quote(table) };
}

function conflictOf(table: string, id: string): ConflictWrite {
  return {
    table,
    key: JSON.stringify([id]),
    position: "1-7",
    policy: "merge",
    outcome: "merged",
    source: '{"a":"1"}',
    target: '{"a":null}',
  };
}
