import {
  type GuardedRows,
  primaryWins,
  type RowImage,
  type RowLook,
  type TargetTransaction,
} from "@lockstep/core";
import { conflictsOf } from "@lockstep/core";
import { expect } from "chai";
import type { PlannedWrite } from "../../src/batch/planned-changes.js";
import type { RowSet } from "../../src/write/arrange.js";
import { ConflictCounts } from "../../src/write/guard/conflict-counts.js";
import { StepGuard } from "../../src/write/guard/step-guard.js";
import { writeSegments } from "../../src/write/write-sets.js";
import { customers, keyOf, ModelTarget, orders } from "./model-target.js";

const policy = conflictsOf({ "*": primaryWins() }).policyOf(customers.schema)!;

function write(image: RowImage): PlannedWrite {
  const { schema } = customers;
  const event = { ordinal: 1, op: "update" as const, schema: schema.fingerprint, key: keyOf(image) };
  return { key: keyOf(image), image, schema, event, part: { id: "1-1", events: [] }, partial: false };
}

/** A transaction whose rows all look like this; the names of what was asked of it. */
function guardedModel(look: RowLook) {
  const model = new ModelTarget();
  const asked: string[] = [];
  const ask = async (what: string): Promise<void> => void asked.push(what);
  const guarded = {
    look: async (_, keys) => (await ask("look"), keys.map(() => look)),
    insert: async (table, rows) => (await ask("insert"), model.transaction.upsert(table, rows)),
    keepBases: () => ask("keepBases"),
    record: () => ask("record"),
    dropBases: () => ask("dropBases"),
  } as Partial<GuardedRows> as GuardedRows;
  const transaction: TargetTransaction = { ...model.transaction, guarded };
  const guard = new StepGuard({
    transaction,
    ledger: { conflicts: new ConflictCounts() },
    ruleOf: (table) => (table === customers ? { kind: "one-way", policy } : undefined),
  });
  return { model, asked, writing: { transaction, guard } };
}

describe("the step's guard", () => {
  const rows = Array.from({ length: 50 }, (_, i) => write([`${i}`, `${i}@x`, "good", null]));
  const setOf = (table: typeof customers): RowSet => ({ kind: "write", table, rows });

  it("costs a table without a policy no statement, not even beside one that has a policy", async () => {
    const { model, asked, writing } = guardedModel({ state: "absent" });
    const set: RowSet = {
      kind: "write",
      table: orders,
      rows: rows.map((row) => ({ ...row, image: [row.image[0]!, null] })),
    };
    expect(await writing.guard.pass([set])).deep.equal([set]);
    await writeSegments(writing, [{ truncates: [], sets: [set] }]);
    expect([model.statements, asked]).deep.equal([1, []]);
  });

  it("costs a table with a policy a look and a base for each set, however many rows it has", async () => {
    const { model, asked, writing } = guardedModel({ state: "unchanged" });
    await writeSegments(writing, [{ truncates: [], sets: [setOf(customers)] }]);
    expect([model.statements, asked]).deep.equal([1, ["look", "keepBases"]]);
  });

  it("inserts what wasn't there, and records what was decided with the row", async () => {
    const fresh = guardedModel({ state: "absent" });
    await writeSegments(fresh.writing, [{ truncates: [], sets: [setOf(customers)] }]);
    expect(fresh.asked).deep.equal(["look", "insert", "keepBases"]);
    const changed = guardedModel({ state: "changed", image: ["0", "local", "local", null] });
    await writeSegments(changed.writing, [{ truncates: [], sets: [setOf(customers)] }]);
    expect(changed.asked).deep.equal(["look", "keepBases", "record"]);
  });

  it("judges no row twice", async () => {
    const { asked, writing } = guardedModel({ state: "unchanged" });
    const sets = await writing.guard.pass([setOf(customers)]);
    expect(await writing.guard.pass(sets)).equal(sets);
    expect(asked).deep.equal(["look"]);
  });
});
