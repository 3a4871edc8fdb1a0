import type { ChangeEvent, TableSchema } from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import { collapse } from "../../src/batch/collapse.js";
import type { Segment } from "../../src/batch/planned-changes.js";
import { schemaOf, TableModel } from "./table-model.js";

const orders = schemaOf("orders", ["id", "note"]);
const wide = schemaOf("orders", ["id", "note", "extra"]);
const rekeyed = schemaOf("orders", ["id", "note"], ["id", "note"]);
const lines = schemaOf("lines", ["id", "a", "b"]);
const schemas = new Map([orders, wide, rekeyed, lines].map((s) => [s.fingerprint, s]));

function collapsed(events: readonly ChangeEvent[]): Segment[] {
  return collapse([{ id: "1-1000", events }], (fingerprint) => schemas.get(fingerprint)!);
}

let ordinal = 0;
function upsert(schema: TableSchema, id: string, cells: readonly unknown[], before?: string): ChangeEvent {
  const key = JSON.stringify([id]);
  const image = JSON.stringify([id, ...cells]);
  const event = { ordinal: ++ordinal, op: "update" as const, schema: schema.fingerprint, key, image };
  return before === undefined ? event : { ...event, before: JSON.stringify([before]) };
}

function remove(schema: TableSchema, id: string): ChangeEvent {
  return { ordinal: ++ordinal, op: "delete", schema: schema.fingerprint, key: JSON.stringify([id]) };
}

function truncate(schema: TableSchema): ChangeEvent {
  return { ordinal: ++ordinal, op: "truncate", schema: schema.fingerprint, key: "[]" };
}

function shape(segments: readonly Segment[]): unknown {
  return segments.map(({ truncates, tables }) => [
    truncates.map((t) => t.name),
    tables.map(({ schema, writes, removes }) => [
      schema.name,
      writes.map((w) => (w.before === undefined ? w.image.join() : `${w.before}>${w.image.join()}`)),
      removes.map((r) => r.key),
    ]),
  ]);
}

describe("collapse", () => {
  it("keeps the newest image of each row, in the order in which rows were first met", () => {
    const events = [upsert(orders, "1", ["a"]), upsert(orders, "2", ["b"]), upsert(orders, "1", ["c"])];
    expect(shape(collapsed(events))).to.deep.equal([[[], [["orders", ["1,c", "2,b"], []]]]]);
  });

  it("makes a delete of a row that was written and then deleted", () => {
    const events = [upsert(orders, "1", ["a"]), remove(orders, "1")];
    expect(shape(collapsed(events))).to.deep.equal([[[], [["orders", [], ['["1"]']]]]]);
  });

  it("remembers the newest event of a row, for its letter", () => {
    const newest = upsert(orders, "1", ["b"]);
    const [segment] = collapsed([upsert(orders, "1", ["a"]), newest]);
    expect(segment?.tables[0]?.writes[0]?.event).to.equal(newest);
  });

  it("lays a partial image over the older one", () => {
    const events = [upsert(lines, "1", ["x", "y"]), upsert(lines, "1", ["z", 0])];
    expect(shape(collapsed(events))).to.deep.equal([[[], [["lines", ["1,z,y"], []]]]]);
  });

  it("keeps unknown cells unknown when nothing older is there", () => {
    const [segment] = collapsed([upsert(lines, "1", ["z", 0])]);
    expect(segment?.tables[0]?.writes[0]).to.deep.include({ image: ["1", "z", 0], partial: true });
  });

  it("doesn't take the text ,0, for an unknown cell", () => {
    const [segment] = collapsed([upsert(lines, "1", ["p", "q"]), upsert(lines, "1", ["a,0,b", "[0]"])]);
    expect(segment?.tables[0]?.writes[0]).to.deep.include({ image: ["1", "a,0,b", "[0]"], partial: false });
  });

  it("fills unknown cells by column name when the schema changed", () => {
    const events = [upsert(orders, "1", ["n"]), upsert(wide, "1", [0, "e"])];
    expect(shape(collapsed(events))).to.deep.equal([[[], [["orders", ["1,n,e"], []]]]]);
  });

  it("takes rows of two schemas of a table apart", () => {
    const events = [upsert(orders, "1", ["n"]), upsert(wide, "2", ["m", "e"])];
    expect(shape(collapsed(events))).to.deep.equal([
      [
        [],
        [
          ["orders", ["1,n"], []],
          ["orders", ["2,m,e"], []],
        ],
      ],
    ]);
  });

  it("begins anew when the primary key changed", () => {
    expect(collapsed([upsert(orders, "1", ["n"]), upsert(rekeyed, "1", ["n"])])).to.have.length(2);
  });

  it("follows a chain of key changes from the first key to the last", () => {
    const events = [upsert(orders, "2", ["a"], "1"), upsert(orders, "3", ["b"], "2")];
    expect(shape(collapsed(events))).to.deep.equal([[[], [["orders", ['["1"]>3,b'], ['["2"]']]]]]);
  });

  it("writes swapped keys as whole rows", () => {
    const swap = [
      upsert(orders, "t", ["a"], "1"),
      upsert(orders, "1", ["b"], "2"),
      upsert(orders, "2", ["a"], "t"),
    ];
    expect(shape(collapsed(swap))).to.deep.equal([[[], [["orders", ["1,b", "2,a"], ['["t"]']]]]]);
  });

  it("keeps a key change with unknown cells apart from a row that takes its key", () => {
    const events = [upsert(lines, "2", ["a", 0], "1"), upsert(lines, "1", ["n", "m"])];
    expect(collapsed(events)).to.have.length(2);
  });

  it("makes a truncate a barrier, and joins truncates that follow each other", () => {
    const events = [
      upsert(orders, "1", ["a"]),
      truncate(lines),
      truncate(orders),
      upsert(orders, "2", ["b"]),
    ];
    expect(shape(collapsed(events))).to.deep.equal([
      [[], [["orders", ["1,a"], []]]],
      [["lines", "orders"], [["orders", ["2,b"], []]]],
    ]);
  });

  it("is empty for barriers", () => {
    expect(collapsed([{ ordinal: 1, op: "barrier", schema: "", key: "[]" }])).to.deep.equal([]);
  });

  it("leaves what the events leave one by one", () => {
    fc.assert(
      fc.property(fc.array(step(), { maxLength: 40 }), history(), (steps, before) => {
        const state = start(before);
        const events = valid(steps, state);
        const oneByOne = start(before);
        for (const event of events) oneByOne.play(event, schemas.get(event.schema)!);
        const setWise = start(before);
        setWise.applySegments(collapsed(events));
        expect(setWise.contents()).to.deep.equal(oneByOne.contents());
      }),
      { numRuns: 2000 },
    );
  });
});

type Step = {
  readonly kind: "put" | "move" | "delete" | "truncate";
  readonly table: TableSchema;
  readonly id: string;
  readonly to: string;
  readonly cells: readonly (string | null | 0)[];
};

function step(): fc.Arbitrary<Step> {
  const id = fc.constantFrom("1", "2", "3", "4");
  const cell = fc.oneof(fc.constantFrom("a", "b", ",0,"), fc.constant(null), fc.constant(0 as const));
  return fc.record({
    kind: fc.constantFrom<Step["kind"][]>(
      "put",
      "put",
      "put",
      "move",
      "move",
      "delete",
      "delete",
      "truncate",
    ),
    table: fc.constantFrom(orders, wide, lines),
    id,
    to: id,
    cells: fc.tuple(cell, cell),
  });
}

function history(): fc.Arbitrary<readonly string[]> {
  return fc.subarray(["1", "2", "3", "4"]);
}

function start(ids: readonly string[]): TableModel {
  const model = new TableModel();
  for (const id of ids) {
    model.upsert(wide, `["${id}"]`, [id, "old", "older"]);
    model.upsert(lines, `["${id}"]`, [id, "old", null]);
  }
  return model;
}

// Only what a source could have done: whole images for new rows, key changes onto free keys.
function valid(steps: readonly Step[], state: TableModel): ChangeEvent[] {
  const events: ChangeEvent[] = [];
  for (const { kind, table: chosen, id, to, cells } of steps) {
    const rows = state.tables.get(`public.${chosen.name}`) ?? new Map<string, unknown>();
    const exists = rows.has(`["${id}"]`);
    // A new row and a new key come with every column; an older schema only appears on rows that stay.
    const table = chosen === orders && (!exists || kind === "move") ? wide : chosen;
    const image = cells
      .slice(0, table.columns.length - 1)
      .map((cell) => (cell === 0 && !exists ? "new" : cell));
    let event: ChangeEvent | undefined;
    if (kind === "put") event = upsert(table, id, image);
    else if (kind === "move" && exists && !rows.has(`["${to}"]`)) event = upsert(table, to, image, id);
    else if (kind === "delete" && exists) event = remove(table, id);
    else if (kind === "truncate") event = truncate(table);
    if (!event) continue;
    state.play(event, table);
    events.push(event);
  }
  return events;
}
