import { expect } from "chai";
import fc from "fast-check";
import {
  type ColumnRule,
  type ConflictPolicy,
  conflictsOf,
  type Engine,
  fingerprintOf,
  isLockstepError,
  lastWriteWins,
  merge,
  newest,
  primaryWins,
  type RowImage,
  type Sides,
  type TableSchema,
} from "../../src/index.js";
import { tablePolicy } from "../../src/conflict/table-policy.js";

const column = (name: string, kind: TableSchema["columns"][number]["kind"], type: string = kind) => ({
  name,
  kind,
  type,
  nullable: name !== "id",
});

function tableOf(engine: Engine): TableSchema {
  const schema = {
    engine,
    namespace: "public",
    name: "stock",
    key: ["id"],
    columns: [
      column("id", "integer", "bigint"),
      column("amount", "numeric"),
      column("note", "text"),
      column("tags", "json", "jsonb"),
      column("labels", "other", "text[]"),
      column("changed", "timestamptz"),
    ],
  };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

const stock = tableOf("postgres");

function row(cells: Partial<Record<string, string | null>> = {}, schema = stock): RowImage {
  return schema.columns.map(({ name }) => (name === "id" ? "1" : (cells[name] ?? null)));
}

function resolve(policy: ConflictPolicy, sides: Sides, schema = stock) {
  const made = tablePolicy(schema, policy);
  if (!("resolve" in made)) throw new Error(made.join("; "));
  return made.resolve(sides);
}

function problems(policy: ConflictPolicy): readonly string[] {
  return conflictsOf({ stock: policy }).problems(stock);
}

describe("conflict policies", () => {
  it("primaryWins takes the source's row, or its deletion", () => {
    const [source, target] = [row({ note: "s" }), row({ note: "t" })];
    expect(resolve(primaryWins(), { source, target })).deep.equal({ outcome: "source", image: source });
    expect(resolve(primaryWins(), { target })).deep.equal({ outcome: "source" });
  });

  describe("lastWriteWins", () => {
    const policy = lastWriteWins({ column: "changed" });
    const at = (changed: string | null, note = "") => row({ changed, note });

    it("takes the side whose column is greater, by value and not by text", () => {
      const later = (source: string | null, target: string | null): string =>
        resolve(policy, { source: at(source), target: at(target) }).outcome;
      expect(later("2026-01-01 00:00:00.5+00", "2026-01-01 00:00:00.25+00")).equal("source");
      expect(later("2026-01-01 00:00:00+00", "2026-01-01 00:00:00.1+00")).equal("target");
      expect(later("9999-01-01 00:00:00+00", "10000-01-01 00:00:00+00")).equal("target");
      expect(later("0044-03-15 00:00:00+00 BC", "0001-01-01 00:00:00+00")).equal("target");
      expect(later("infinity", "2026-01-01 00:00:00+00")).equal("source");
      expect(later(null, "-infinity")).equal("target");
      const byAmount = (source: string, target: string): string =>
        resolve(lastWriteWins({ column: "amount" }), {
          source: row({ amount: source }),
          target: row({ amount: target }),
        }).outcome;
      expect(byAmount("9", "10")).equal("target");
      expect(byAmount("-1.5", "-1.25")).equal("target");
      expect(byAmount("90071992547409931.1", "90071992547409931.02")).equal("source");
      expect(byAmount("Infinity", "NaN")).equal("target");
    });

    it("gives the same row whichever side is called the source, also for equal times", () => {
      const texts = fc.option(fc.constantFrom("a", "b", "ab", "B"), { nil: null });
      const times = fc.option(fc.constantFrom("2026-01-01 00:00:00+00", "2026-01-01 00:00:00.1+00"), {
        nil: null,
      });
      fc.assert(
        fc.property(texts, times, texts, times, (noteA, a, noteB, b) => {
          const [one, other] = [row({ note: noteA, changed: a }), row({ note: noteB, changed: b })];
          const there = resolve(policy, { source: one, target: other });
          const back = resolve(policy, { source: other, target: one });
          expect(there.image).deep.equal(back.image);
        }),
      );
    });

    it("lets `deletes` decide where one side has no row", () => {
      const source = at("2026-01-01 00:00:00+00");
      expect(resolve(policy, { source })).deep.equal({ outcome: "source", image: source });
      expect(resolve(policy, { target: source })).deep.equal({ outcome: "source" });
      const kept = lastWriteWins({ column: "changed", deletes: "target" });
      expect(resolve(kept, { source })).deep.equal({ outcome: "target" });
      expect(resolve(kept, { target: source })).deep.equal({ outcome: "target", image: source });
    });
  });

  describe("merge", () => {
    const merged = (
      columns: Readonly<Record<string, ColumnRule>>,
      source: object,
      target: object,
      base?: object,
    ) => {
      const sides = { source: row(source), target: row(target), ...(base && { base: row(base) }) };
      const { outcome, image = [] } = resolve(merge(columns), sides);
      return [outcome, Object.fromEntries(stock.columns.map(({ name }, i) => [name, image[i]]))] as const;
    };

    it("takes each column by its own rule", () => {
      const [outcome, image] = merged(
        { amount: "max", note: "nonNull", tags: "union", labels: "union", "*": "target" },
        {
          amount: "9",
          note: null,
          tags: '["a", 12345678901234567890]',
          labels: '{a,"b,c"}',
          changed: "2026-01-01 00:00:00+00",
        },
        {
          amount: "10.0",
          note: "t",
          tags: '["b", "a", {"k": [1]}]',
          labels: '{"b,c",d}',
          changed: "2025-01-01 00:00:00+00",
        },
      );
      expect(outcome).equal("merged");
      expect(image).deep.equal({
        id: "1",
        amount: "10.0",
        note: "t",
        tags: '["a", 12345678901234567890, "b", {"k":[1]}]',
        labels: '{a,"b,c",d}',
        changed: "2025-01-01 00:00:00+00",
      });
    });

    it("says which side it came to when it is one of them", () => {
      expect(merged({ note: "source" }, { note: "s" }, { note: "t" })[0]).equal("source");
      expect(merged({ "*": "target" }, { note: "s" }, { note: "t" })[0]).equal("target");
      expect(
        merged({ amount: "min", "*": "target" }, { amount: "1.50" }, { amount: "1.5", note: "t" })[0],
      ).equal("target");
    });

    it("takes the newest by another column, the target's over the source's, and what a function gives", () => {
      const times = [{ changed: "2026-01-01 00:00:00+00" }, { changed: "2026-01-02 00:00:00+00" }] as const;
      const rules = {
        note: newest({ column: "changed" }),
        labels: "nonNullTarget",
        amount: (source, target, base) => String(Number(source) + Number(target) - Number(base)),
      } satisfies Record<string, ColumnRule>;
      const [, image] = merged(
        rules,
        { ...times[0], note: "s", amount: "7", labels: "{s}" },
        { ...times[1], note: "t", amount: "5", labels: null },
        { amount: "4" },
      );
      expect(image).include({ note: "t", amount: "8", labels: "{s}", changed: times[0].changed });
    });

    it("takes min and max by value, and any value before NULL", () => {
      const cell = fc.option(fc.integer().map(String), { nil: null });
      fc.assert(
        fc.property(cell, cell, (source, target) => {
          const numbers = [source, target].filter((one) => one !== null).map(Number);
          const [, image] = merged({ amount: "max" }, { amount: source }, { amount: target });
          const [, least] = merged({ amount: "min" }, { amount: source }, { amount: target });
          expect([least.amount, image.amount]).deep.equal(
            numbers.length === 0
              ? [null, null]
              : [String(Math.min(...numbers)), String(Math.max(...numbers))],
          );
        }),
      );
    });
  });

  describe("a function", () => {
    const failing = (policy: ConflictPolicy): string => {
      try {
        resolve(policy, { source: row({ note: "s" }), target: row({ note: "t" }) });
      } catch (error) {
        if (!isLockstepError(error, "CONFLICT_POLICY_FAILED")) throw error;
        expect(error.message).not.match(/: [st]\b/);
        return error.cause instanceof Error ? error.cause.message : "";
      }
      return "it didn't fail";
    };

    it("sees both rows and the base, and gives one of them, another one, or none", () => {
      const [source, target, base] = [
        row({ note: "s", amount: "1.50" }),
        row({ note: "t" }),
        row({ note: "b" }),
      ];
      const seen: unknown[] = [];
      const policy: ConflictPolicy = (s, t, b) => {
        seen.push(s?.["note"], t?.["note"], b?.["note"], s?.["id"]);
        return { ...s!, note: `${t!["note"]}+${b!["note"]}` };
      };
      const { outcome, image } = resolve(policy, { source, target, base });
      expect([outcome, image]).deep.equal(["merged", row({ note: "t+b", amount: "1.50" })]);
      expect(seen).deep.equal(["s", "t", "b", 1n]);
      expect(resolve((_, t) => t, { source, target })).deep.equal({ outcome: "target", image: target });
      expect(resolve(() => null, { source, target })).deep.equal({ outcome: "merged" });
      expect(resolve((s) => s, { target })).deep.equal({ outcome: "source" });
    });

    it("keeps texts that no value gives back, where it takes them over", () => {
      const source = row({ changed: "infinity", tags: '{"b": 1, "a": 2}' });
      const { image } = resolve((s) => ({ ...s!, note: "new" }), { source, target: row() });
      expect(image).deep.equal([...source.slice(0, 2), "new", ...source.slice(3)]);
    });

    it("fails with one code whatever it does wrong, and says nothing of values", () => {
      const wrong: readonly (readonly [ConflictPolicy, RegExp])[] = [
        [
          () => {
            throw new Error("mine");
          },
          /mine/,
        ],
        [(s) => ({ ...s!, id: 2n }), /another key/],
        [(s) => ({ ...s!, colour: "red" }), /doesn't have: colour/],
        [() => ({ id: 1n }), /left out column amount/],
        [(s) => ({ ...s!, amount: true }), /no value for numeric/],
        [() => undefined as never, /neither a row nor null/],
        [(async () => null) as never, /Promise/],
        [(s) => ({ ...s!, note: s!["colour"]! }), /no column colour/],
      ];
      for (const [policy, message] of wrong) expect(failing(policy)).match(message);
    });
  });

  it("names everything in a policy that doesn't fit its table", () => {
    expect(problems(lastWriteWins({ column: "chnged" }))).deep.equal([
      'conflicts["stock"]: lastWriteWins: there is no column chnged',
    ]);
    const rules = {
      amnt: "max",
      id: "max",
      note: "union",
      tags: { newest: "x" },
      "*": { newest: "y" },
    } as const;
    expect(problems(merge(rules))).deep.equal([
      'conflicts["stock"]: merge: there is no column amnt',
      'conflicts["stock"]: merge.id: is part of the key, which is the same on both sides',
      'conflicts["stock"]: merge.note: union needs a JSON or array column',
      'conflicts["stock"]: merge.tags: there is no column x',
      'conflicts["stock"]: merge.*: there is no column y',
    ]);
    expect(problems(primaryWins())).deep.equal([]);
  });

  it("finds a table's policy by its whole name first, then by its name, then by *", () => {
    const names = (...tables: string[]): string | undefined => {
      const policies = Object.fromEntries(
        tables.map((table, i) => [table, i === 0 ? primaryWins() : merge({})]),
      );
      return conflictsOf(policies).policyOf(stock)?.name;
    };
    expect(names("public.stock", "stock", "*")).equal("primaryWins");
    expect(names("*", "stock")).equal("merge");
    expect(names("*", "orders")).equal("primaryWins");
    expect(names("other.stock")).equal(undefined);
  });
});
