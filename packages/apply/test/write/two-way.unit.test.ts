import {
  fingerprintOf,
  type HeldVersion,
  type Op,
  printVersion,
  type RowImage,
  type RowVersion,
  type TableSchema,
  type TargetTable,
  twoWayTables,
} from "@lockstep/core";
import { expect } from "chai";
import type { PlannedWrite } from "../../src/batch/planned-changes.js";
import { judgeTwoWay, type NodeRow } from "../../src/write/guard/two-way.js";
import type { TwoWayRule } from "../../src/write/guard/table-rule.js";

const plain = {
  engine: "postgres",
  namespace: "public",
  name: "stock",
  columns: [
    { name: "id", type: "integer", kind: "integer", nullable: false },
    { name: "amount", type: "integer", kind: "integer", nullable: true },
  ],
  key: ["id"],
} as const;
const schema: TableSchema = { ...plain, fingerprint: fingerprintOf(plain) };
const table: TargetTable = {
  schema,
  name: "public.stock",
  parents: [],
  selfReferencing: false,
  hasSecondaryUnique: false,
};
const version = (seen: Readonly<Record<string, number>>): RowVersion => {
  const [node, stamp] = Object.entries(seen).toSorted(([, a], [, b]) => b - a)[0]!;
  return { stamp, node, seen };
};
const ruleTo = (writesTo: "hub" | "leaf", policy: object = { policy: "primaryWins" }): TwoWayRule => {
  const policies = twoWayTables({ stock: policy as never });
  return { kind: "two-way", writesTo, source: "a", target: "hub", policy: policies.policyOf(schema)! };
};

function write(image: RowImage, seen?: Readonly<Record<string, number>>, op: Op = "update"): PlannedWrite {
  const named = { ordinal: 1, op, schema: schema.fingerprint, key: '["1"]' };
  const event = seen === undefined ? named : { ...named, version: printVersion(version(seen)) };
  return {
    key: '["1"]',
    image,
    schema,
    event,
    part: { id: "7-1", events: [event] },
    partial: image.includes(0),
  };
}

function judge(rule: TwoWayRule, row: PlannedWrite, held?: HeldVersion, here?: RowImage) {
  const look = here === undefined ? { state: "absent" as const } : { state: "changed" as const, image: here };
  const rows = new Map<string, NodeRow>([['["1"]', { look, held }]]);
  return judgeTwoWay(rule, { kind: "write", table, rows: [row] }, rows);
}

describe("a row that comes from another node", () => {
  it("is written with the version it came with, and says whose lane wrote it", () => {
    const { writes, answered, failed } = judge(ruleTo("hub"), write(["1", "5"], { a: 9 }));
    expect(writes.map(({ image }) => image)).to.deep.equal([["1", "5"]]);
    expect(writes[0]!.guard).to.deep.include({ insert: true, tell: false });
    expect(writes[0]!.guard!.version).to.deep.equal({ ...version({ a: 9 }), from: "a" });
    expect([answered, failed]).to.deep.equal([[], []]);
  });

  it("is told to the leaves when it changes nothing here: their next write would count as a conflict", () => {
    const held = { version: version({ hub: 3 }) };
    const { writes, answered } = judge(ruleTo("hub"), write(["1", "5"], { hub: 3, a: 9 }), held, ["1", "5"]);
    expect(writes).to.deep.equal([]);
    expect(answered).to.deep.equal([
      { key: '["1"]', version: { ...version({ hub: 3, a: 9 }), from: "a" }, deleted: false, tell: true },
    ]);
  });

  it("that both changed alike is no conflict, but has seen both", () => {
    const { answered } = judge(ruleTo("hub"), write(["1", "5"], { a: 9 }), { version: version({ hub: 3 }) }, [
      "1",
      "5",
    ]);
    expect(answered).to.deep.equal([
      { key: '["1"]', version: version({ hub: 3, a: 9 }), deleted: false, tell: true },
    ]);
  });

  it("that the hub keeps is recorded, answered and not written; one that wins is written and told", () => {
    const held = { version: version({ hub: 3 }) };
    const kept = judge(ruleTo("hub"), write(["1", "5"], { a: 9 }), held, ["1", "4"]);
    expect([kept.writes, kept.removes]).to.deep.equal([[], []]);
    expect(kept.answered![0]).to.deep.include({ deleted: false, tell: true });
    expect(kept.answered![0]!.conflict).to.deep.include({ policy: "primaryWins", outcome: "target" });
    const won = judge(ruleTo("hub", { policy: "lastWriteWins" }), write(["1", "5"], { a: 9 }), held, [
      "1",
      "4",
    ]);
    expect(won.writes[0]!.image).to.deep.equal(["1", "5"]);
    expect(won.writes[0]!.guard!.conflict).to.deep.include({ policy: "lastWriteWins", outcome: "source" });
    expect(won.writes[0]!.guard).to.deep.include({ insert: false, tell: true });
  });

  it("is set aside when it isn't whole, or its key was changed: no node has that row", () => {
    const moved = write(["1", "5"], { a: 9 });
    const rows = [write(["1", 0], { a: 9 }), { ...moved, image: moved.image, before: '["2"]' }];
    for (const row of rows) {
      const { writes, failed } = judge(ruleTo("hub"), row);
      expect(writes).to.deep.equal([]);
      expect(failed.map(({ fault }) => fault.code)).to.deep.equal(["TWO_WAY_ROW_UNFIT"]);
    }
  });
});
