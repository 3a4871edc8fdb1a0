import { expect } from "chai";
import { lastWriteWins, merge, newest, parseConfig, primaryWins } from "../src/index.js";

const url = "postgres://u@h/d";

function parse(conflicts: unknown, target: object = { type: "postgres", url }) {
  return parseConfig({ redis: "redis://r", sources: { s: {} }, targets: { t: { ...target, conflicts } } });
}

function problemsOf(conflicts: unknown, target?: object): string {
  try {
    parse(conflicts, target);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("config of conflicts", () => {
  it("takes every policy and rule, on PostgreSQL, MySQL and MariaDB", () => {
    const conflicts = {
      "public.a": lastWriteWins({ column: "changed", deletes: "target" }),
      b: merge(
        { x: "max", y: newest({ column: "changed" }), z: (source) => source, "*": "nonNullTarget" },
        { deletes: "source" },
      ),
      c: (source: unknown) => source,
      "*": primaryWins(),
    };
    expect(parse(conflicts).targets["t"]).deep.include({ conflicts });
    expect(problemsOf(conflicts, { type: "mysql", url: "mysql://u@h/d" })).equal("");
  });

  it("names every wrong piece at its own place", () => {
    const message = problemsOf({
      a: "newest",
      b: { policy: "loudest" },
      c: lastWriteWins(),
      d: { policy: "lastWriteWins", colum: "x" },
      e: merge({ x: "average" as never }),
      f: merge({}, { deletes: "both" as never }),
    });
    for (const line of [
      "targets.t.conflicts.a: must be made by lastWriteWins(), primaryWins() or merge(), or be a function",
      "targets.t.conflicts.b.policy: must be made by",
      "targets.t.conflicts.c: lastWriteWins needs a column here",
      'targets.t.conflicts.d: Unrecognized key: "colum"',
      "targets.t.conflicts.e.columns.x: must be source, target, max",
      "targets.t.conflicts.f.deletes:",
    ])
      expect(message).contain(line);
  });

  it("refuses policies of a target that can't tell who wrote its rows", () => {
    const hook = { type: "webhook", url: "https://h/hook", secret: "sixteen characters", state: url };
    expect(problemsOf({ "*": primaryWins() }, hook)).contain(
      "targets.t.conflicts: need a database as the target",
    );
  });
});
