import type { RowImage, TargetTable } from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import type { PlannedRemove, PlannedWrite } from "../../src/batch/planned-changes.js";
import { arrangeSets, type RowSet } from "../../src/write/arrange.js";
import { isolate } from "../../src/write/isolate.js";
import { perform } from "../../src/write/write-sets.js";
import { type Refused, regroup } from "../../src/write/refused.js";
import { classifyModel, customers, keyOf, ModelTarget, orders } from "./model-target.js";

const part = { id: "1-100", events: [] } as const;

function write(table: TargetTable, image: RowImage, before?: string): PlannedWrite {
  const { schema } = table;
  const key = keyOf(image);
  const event = { ordinal: 1, op: "update" as const, schema: schema.fingerprint, key };
  const row = { key, image, schema, event, part, partial: false };
  return before === undefined ? row : { ...row, before: JSON.stringify([before]) };
}

function gone(table: TargetTable, id: string): PlannedRemove {
  const { schema } = table;
  const key = JSON.stringify([id]);
  return { key, schema, event: { ordinal: 1, op: "delete", schema: schema.fingerprint, key }, part };
}

function sets(
  writes: readonly (readonly [TargetTable, PlannedWrite])[],
  removes: readonly (readonly [TargetTable, PlannedRemove])[] = [],
): RowSet[] {
  const of = <R>(table: TargetTable, rows: readonly (readonly [TargetTable, R])[]): R[] =>
    rows.filter(([t]) => t === table).map(([, row]) => row);
  const both = [customers, orders];
  return arrangeSets(
    both.map((table) => ({ kind: "write", table, rows: of(table, writes) }) as const),
    both.map((table) => ({ kind: "remove", table, rows: of(table, removes) }) as const),
  ).filter((set) => set.rows.length > 0);
}

async function isolated(model: ModelTarget, rows: readonly RowSet[]): Promise<Refused[]> {
  return isolate({ transaction: model.transaction, classify: classifyModel }, rows);
}

describe("isolate", () => {
  it("finds one bad row among thousands with a few dozen statements", async () => {
    const rows = Array.from({ length: 5_000 }, (_, i) =>
      write(customers, [`${i}`, `${i}@x`, i === 3_333 ? "bad" : "good"]),
    );
    const model = new ModelTarget();
    const refused = await isolated(model, [{ kind: "write", table: customers, rows }]);
    expect(refused.map(({ row, fault }) => [row.key, fault.code])).deep.equal([['["3333"]', "TARGET_CHECK"]]);
    expect(model.customers.size).equal(4_999);
    expect(model.statements).below(40);
  });

  it("gives up as soon as it is told that these are too many", async () => {
    const rows = Array.from({ length: 1_000 }, (_, i) => write(customers, [`${i}`, `${i}@x`, "bad"]));
    const model = new ModelTarget();
    let seen = 0;
    const onRefused = (): void => {
      if (++seen === 5) throw new Error("enough");
    };
    const { transaction } = model;
    const set: RowSet = { kind: "write", table: customers, rows };
    const error = await isolate({ transaction, classify: classifyModel, onRefused }, [set]).catch(
      (e: Error) => e.message,
    );
    expect(error).equal("enough");
    expect(model.statements).below(40);
  });

  it("throws what isn't about rows", async () => {
    const model = new ModelTarget();
    const broken = { ...model.transaction, upsert: () => Promise.reject(new Error("connection")) };
    const set: RowSet = { kind: "write", table: customers, rows: [write(customers, ["1", "a", "n"])] };
    const error = await isolate({ transaction: broken, classify: classifyModel }, [set]).catch(
      (e: Error) => e,
    );
    expect(error).instanceOf(Error).with.property("message", "connection");
  });

  it("writes a swap of unique values beside a bad row", async () => {
    const model = ModelTarget.of(
      [
        ["1", "a", "n"],
        ["2", "b", "n"],
      ],
      [],
    );
    const refused = await isolated(
      model,
      sets([
        [customers, write(customers, ["1", "b", "n"])],
        [customers, write(customers, ["2", "a", "n"])],
        [customers, write(customers, ["3", "c", "bad"])],
      ]),
    );
    expect(refused.map(({ row }) => row.key)).deep.equal(['["3"]']);
    expect(model.contents()).deep.equal([["1|b|n", "2|a|n"], []]);
  });

  it("writes rows that point to each other, and removes them, beside a bad one", async () => {
    const model = new ModelTarget();
    const bad = write(customers, ["3", "c", "bad", null]);
    const refused = await isolated(
      model,
      sets([
        [customers, write(customers, ["1", "a", "n", "10"])],
        [orders, write(orders, ["10", "1"])],
        [customers, bad],
      ]),
    );
    expect(refused.map(({ row }) => row.key)).deep.equal(['["3"]']);
    expect(model.contents()).deep.equal([["1|a|n|10"], ["10|1"]]);
    const again = await isolated(
      model,
      sets(
        [],
        [
          [customers, gone(customers, "1")],
          [orders, gone(orders, "10")],
        ],
      ),
    );
    expect(again).deep.equal([]);
    expect(model.contents()).deep.equal([[], []]);
  });

  it("moves a parent's key while children change over", async () => {
    const model = ModelTarget.of([["1", "a", "n"]], [["10", "1"]]);
    const refused = await isolated(
      model,
      sets([
        [customers, write(customers, ["5", "a", "n"], "1")],
        [orders, write(orders, ["10", "5"])],
      ]),
    );
    expect(refused).deep.equal([]);
    expect(model.contents()).deep.equal([["5|a|n"], ["10|5"]]);
  });

  it("leaves nothing moved aside in the rows that it refuses", async () => {
    const model = ModelTarget.of(
      [
        ["1", "a", "n"],
        ["2", "b", "n"],
        ["3", "taken", "n"],
      ],
      [],
    );
    const refused = await isolated(
      model,
      sets([
        [customers, write(customers, ["1", "taken", "n"])],
        [customers, write(customers, ["2", "a", "n"])],
      ]),
    );
    expect(refused.map(({ row }) => row.key)).deep.equal(['["1"]', '["2"]']);
    expect(model.contents()).deep.equal([["1|a|n", "2|b|n", "3|taken|n"], []]);
  });

  it("calls nothing bad that could be written, and writes everything else", async () => {
    await fc.assert(
      fc.asyncProperty(state(), state(), fc.nat(3), async (before, after, badRows) => {
        const model = ModelTarget.of(before.customers, before.orders);
        const bad = after.customers.slice(0, badRows).map((row): RowImage => row.with(2, "bad"));
        const wanted = [...bad, ...after.customers.slice(badRows)];
        const rows = difference(before, { ...after, customers: wanted });
        const refused = await isolated(model, rows);
        if (badRows === 0) expect(refused).deep.equal([]);
        expectWritten(
          model,
          rows,
          new Set(refused.map(({ kind, row }) => `${kind} ${row.schema.name} ${row.key}`)),
        );
        for (const one of refused) await expectRefused(model, regroup([one])[0]!);
      }),
      { numRuns: 500 },
    );
  });
});

interface State {
  readonly customers: readonly RowImage[];
  readonly orders: readonly RowImage[];
}

/** A valid state over few ids and few unique values, so that they collide often. */
function state(): fc.Arbitrary<State> {
  const ids = ["1", "2", "3", "4", "5"];
  return fc
    .tuple(fc.shuffledSubarray(ids), fc.shuffledSubarray(["a", "b", "c", "d", "e"], { minLength: 5 }))
    .chain(([owners, emails]) =>
      fc.record({
        owners: fc.constant(owners),
        emails: fc.constant(emails),
        favourites: fc.array(fc.constantFrom("10", "11", "12", null), { minLength: 5, maxLength: 5 }),
        orders: fc
          .subarray(["10", "11", "12"])
          .chain((numbers) =>
            fc.tuple(
              ...numbers.map((id) =>
                fc.constantFrom<(string | null)[]>(null, ...owners).map((owner): RowImage => [id, owner]),
              ),
            ),
          ),
      }),
    )
    .map(({ favourites, orders: rows, owners, emails }) => ({
      customers: owners.map((id, i): RowImage => {
        const favourite = favourites[i] ?? null;
        return [id, emails[i]!, "n", rows.some((row) => row[0] === favourite) ? favourite : null];
      }),
      orders: rows,
    }));
}

function difference(before: State, after: State): RowSet[] {
  const removes = [customers, orders].flatMap((table) => {
    const name = table.name as keyof State;
    const left = new Set(after[name].map((row) => row[0]));
    return before[name]
      .filter((row) => !left.has(row[0]!))
      .map((row) => [table, gone(table, row[0] as string)] as const);
  });
  const writes = [customers, orders].flatMap((table) =>
    after[table.name as keyof State].map((row) => [table, write(table, row)] as const),
  );
  return sets(writes, removes);
}

function expectWritten(model: ModelTarget, rows: readonly RowSet[], refused: ReadonlySet<string>): void {
  for (const set of rows) {
    for (const row of set.rows) {
      if (refused.has(`${set.kind} ${set.table.name} ${row.key}`)) continue;
      const stored = (set.table === customers ? model.customers : model.orders).get(row.key);
      expect(stored).deep.equal("image" in row ? row.image : undefined);
    }
  }
}

async function expectRefused(model: ModelTarget, set: RowSet): Promise<void> {
  const copy = model.copy();
  const error = await perform(copy.transaction, set).catch((e: unknown) => e);
  expect(classifyModel(error).kind).equal("row");
}
