import type { RowNote } from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import { foldNotes } from "../src/fold-notes.js";

const table = { namespace: "s", name: "t" };
const note = (op: RowNote["op"], key: string, before?: string): RowNote => ({
  table,
  op,
  key: [key],
  ...(before === undefined ? {} : { before: [before] }),
});
const rowsOf = (...notes: RowNote[]): unknown[] =>
  foldNotes(notes).flatMap(({ rows }) =>
    rows
      .toSorted((a, b) => a.order - b.order)
      .map((row) => [row.born ? "born" : "known", row.key[0], ...(row.before ?? [])]),
  );

describe("folding notes", () => {
  it("keeps one row per key, in the order of last notes", () => {
    expect(rowsOf(note("insert", "1"), note("update", "2"), note("update", "1"))).to.deep.equal([
      ["known", "2"],
      ["born", "1"],
    ]);
  });

  it("numbers the rows across tables", () => {
    const other = { namespace: "s", name: "u" };
    const folded = foldNotes([
      note("update", "1"),
      { table: other, op: "update", key: ["9"] },
      note("update", "2"),
    ]);
    expect(folded.map((t) => [t.name, t.rows.map((row) => row.order)])).to.deep.equal([
      ["t", [1, 3]],
      ["u", [2]],
    ]);
  });

  it("remembers that a row existed when it was deleted and made again", () => {
    expect(rowsOf(note("delete", "1"), note("insert", "1"))).to.deep.equal([["known", "1"]]);
  });

  it("gives a moved row its key from before the transaction", () => {
    expect(rowsOf(note("update", "2", "1"), note("update", "3", "2"))).to.deep.equal([["known", "3", "1"]]);
    expect(rowsOf(note("insert", "1"), note("update", "2", "1"))).to.deep.equal([["born", "2"]]);
    expect(rowsOf(note("update", "2", "1"), note("update", "1", "2"))).to.deep.equal([["known", "1"]]);
  });

  it("gives no row a key from before that another one has taken", () => {
    expect(rowsOf(note("update", "2", "1"), note("insert", "1"), note("update", "2"))).to.deep.equal([
      ["known", "1"],
      ["born", "2"],
    ]);
    expect(
      rowsOf(note("update", "t", "1"), note("update", "1", "2"), note("update", "2", "t")),
    ).to.deep.equal([
      ["known", "1"],
      ["known", "2"],
    ]);
  });

  it("answers for the rows that a moved row replaced", () => {
    expect(rowsOf(note("delete", "2"), note("update", "2", "1"))).to.deep.equal([
      ["known", "1"],
      ["known", "2"],
    ]);
  });

  // A source table and a target: whatever happens in a transaction, applying the flush in order makes the target equal.
  const keys = ["1", "2", "3", "4"];
  const step = fc.record({
    kind: fc.constantFrom("put", "delete", "move"),
    key: fc.constantFrom(...keys),
    to: fc.constantFrom(...keys),
  });
  it("lets a target follow any sequence of writes", () => {
    const unmoved = step.filter(({ kind }) => kind !== "move");
    const steps = fc.oneof(fc.array(step, { maxLength: 14 }), fc.array(unmoved, { maxLength: 14 }));
    fc.assert(
      fc.property(fc.subarray(keys), steps, (existing, steps) => {
        const source = new Map(existing.map((key) => [key, `old ${key}`]));
        const target = new Map(source);
        const notes = steps.flatMap((s, i) => write(source, s, `new ${i}`));
        apply(target, source, notes);
        expect([...target].toSorted()).to.deep.equal([...source].toSorted());
      }),
      { numRuns: 2_000 },
    );
  });
});

interface Step {
  readonly kind: string;
  readonly key: string;
  readonly to: string;
}

function write(source: Map<string, string>, { kind, key, to }: Step, value: string): RowNote[] {
  const exists = source.has(key);
  if (kind === "put") {
    source.set(key, value);
    return [note(exists ? "update" : "insert", key)];
  }
  if (!exists || (kind === "move" && source.has(to))) return [];
  const moved = source.get(key)!;
  source.delete(key);
  if (kind === "delete") return [note("delete", key)];
  source.set(to, moved);
  return [note("update", to, key)];
}

function apply(
  target: Map<string, string>,
  source: ReadonlyMap<string, string>,
  notes: readonly RowNote[],
): void {
  const rows = foldNotes(notes)
    .flatMap((t) => t.rows)
    .toSorted((a, b) => a.order - b.order);
  for (const { born, key, before } of rows) {
    const image = source.get(key[0]!);
    if (image === undefined) {
      if (!born || before) target.delete((before ?? key)[0]!);
    } else {
      if (before) target.delete(before[0]!);
      target.set(key[0]!, image);
    }
  }
}
