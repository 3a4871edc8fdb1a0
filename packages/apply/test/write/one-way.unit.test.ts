import {
  type ConflictPolicy,
  conflictsOf,
  lastWriteWins,
  merge,
  primaryWins,
  type RowImage,
  type RowLook,
} from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import type { PlannedRemove, PlannedWrite } from "../../src/batch/planned-changes.js";
import { judgeOneWay } from "../../src/write/guard/one-way.js";
import { customers } from "./model-target.js";

const { schema } = customers;
const key = '["1"]';

type Row = RowImage | undefined;

const row = fc.option(
  fc
    .tuple(fc.constantFrom("a", "b"), fc.constantFrom("1", "2", null))
    .map(([email, name]): RowImage => ["1", email, name, null]),
  { nil: undefined },
);

/** A policy, and what it says itself. */
const policies: readonly (readonly [ConflictPolicy, (source: Row, target: Row, base: Row) => Row])[] = [
  [primaryWins(), (source) => source],
  [
    lastWriteWins({ column: "name", deletes: "target" }),
    (source, target) => {
      if (source === undefined || target === undefined) return target;
      const [s, t] = [source[2] ?? "", target[2] ?? ""];
      return s === t ? (source[1]! < target[1]! ? target : source) : s < t ? target : source;
    },
  ],
  [
    merge({ name: "target" }),
    (source, target) => (source === undefined || target === undefined ? source : source.with(2, target[2]!)),
  ],
  [(_, target, base) => base ?? target, (_, target, base) => base ?? target],
];

function lookAt(target: Row, base: Row): RowLook {
  if (isSame(target, base)) return { state: target === undefined ? "absent" : "unchanged" };
  return { state: "changed", ...(target && { image: target }), ...(base && { base }) };
}

function isSame(one: Row, other: Row): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function judge(policy: ConflictPolicy, source: Row, look: RowLook) {
  const event = { ordinal: 1, op: "update" as const, schema: schema.fingerprint, key };
  const common = { key, schema, event, part: { id: "1-1" as const, events: [] } };
  const write: PlannedWrite = { ...common, image: source ?? [], partial: false };
  const remove: PlannedRemove = common;
  const made = conflictsOf({ "*": policy }).policyOf(schema)!;
  const set =
    source === undefined
      ? ({ kind: "remove", table: customers, rows: [remove] } as const)
      : ({ kind: "write", table: customers, rows: [write] } as const);
  return judgeOneWay(made, set, new Map([[key, look]]));
}

describe("judging one way", () => {
  it("gives what the policy says where the target's row was changed, else the source's row, and one record of each conflict", () => {
    fc.assert(
      fc.property(fc.nat(policies.length - 1), row, row, row, (which, source, target, base) => {
        const [policy, says] = policies[which]!;
        const judged = judge(policy, source, lookAt(target, base));
        const conflict = !isSame(target, base) && !isSame(source, target);
        const expected = conflict ? says(source, target, base) : source;
        const written = judged.writes[0]?.image;
        const result = judged.removes.length > 0 ? undefined : (written ?? target);
        expect(result).deep.equal(expected);
        const records = [
          ...judged.held.map((held) => held.conflict),
          ...[...judged.writes, ...judged.removes].flatMap(({ guard }) => guard?.conflict ?? []),
        ];
        expect(records.length).equal(conflict ? 1 : 0);
        // Nothing is written over what is there unless it was looked at; nothing new is made but by an INSERT.
        for (const { guard } of judged.writes) expect(guard?.insert).equal(target === undefined);
        // What isn't the source's is remembered as such.
        const decided =
          judged.held[0]?.base.decided ?? [...judged.writes, ...judged.removes][0]?.guard?.decided;
        if (conflict && !isSame(expected, source)) expect(decided).a("string");
        else expect(decided).equal(undefined);
      }),
      { numRuns: 500 },
    );
  });

  it("leaves a former key alone that another row of the set takes", () => {
    const { set, looks } = moves();
    const judged = judgeOneWay(conflictsOf({ "*": primaryWins() }).policyOf(schema)!, set, looks);
    expect(judged.writes.map((one) => one.key)).deep.equal(['["2"]', '["1"]']);
    expect(judged.removes).deep.equal([]);
  });
});

/** Key 1 becomes 2, which is taken, and another row takes 1. */
function moves() {
  const event = { ordinal: 1, op: "update" as const, schema: schema.fingerprint, key };
  const common = { schema, event, part: { id: "1-1" as const, events: [] }, partial: false };
  const rows: PlannedWrite[] = [
    { ...common, key: '["2"]', before: '["1"]', image: ["2", "a", null, null] },
    { ...common, key: '["1"]', image: ["1", "b", null, null] },
  ];
  const unchanged: RowLook = { state: "unchanged" };
  const looks = new Map([
    ['["1"]', unchanged],
    ['["2"]', unchanged],
  ]);
  return { set: { kind: "write", table: customers, rows } as const, looks };
}
