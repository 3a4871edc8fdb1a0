import type { Cell, Engine } from "@lockstep/core";
import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import type { ContractType } from "./dialect.js";

/** Values that arrive as they were, from either engine (P7), as rows of a batch of any size. */
export function valuesContract(context: ContractContext): void {
  for (const source of ["postgres", "mysql"] as const) {
    // Sizes on each side of where a target draws a line between ways of writing.
    for (const count of [1, 20, 70, 300]) {
      it(`keeps awkward values of ${source} exactly, in batches of ${count}`, async () => {
        const name = `values_${source}_${count}`;
        const columns = {
          id: "integer",
          ...Object.fromEntries(kinds.map((kind) => [`c_${kind}`, kind])),
        } as const;
        const table = contractTable(context.fixture, name, columns, { source });
        const lane = await openLane(await context.target({ schema: "managed" }), name);
        const target = await lane.table(table);
        const images = awkwardRows(source, count);
        // Twice: once as new rows, once as rows that are there.
        for (let round = 0; round < 2; round++) {
          await lane.step(async (transaction) => {
            for (let i = 0; i < images.length; i += count) {
              await transaction.upsert(
                target,
                images.slice(i, i + count).map((image) => table.row(...image)),
              );
            }
          });
          expect(await table.canonicalRows()).deep.equal(images.map(table.canonical));
        }
        await lane.close();
      });
    }

    it(`finds rows of ${source} by awkward keys`, async () => {
      const name = `keys_${source}`;
      const table = contractTable(
        context.fixture,
        name,
        { text: "string", at: "timestamp", bytes: "bytes", note: "string" },
        { key: ["text", "at", "bytes"], source },
      );
      const lane = await openLane(await context.target({ schema: "managed" }), name);
      const target = await lane.table(table);
      const at = source === "postgres" ? "2026-01-02 03:04:05.6" : "2026-01-02 03:04:05.600000";
      const bytes = source === "postgres" ? "\\x005c27" : "005C27";
      const texts = ["", " ", "a", "A", "a ", "ä", "a\\", 'a"', "a'", "{a,b}", "NULL", "\\N", "☃😀"];
      await lane.step((transaction) =>
        transaction.upsert(
          target,
          texts.map((text) => table.row(text, at, bytes, `note of ${text}`)),
        ),
      );
      expect((await table.rows()).map(([text]) => text).sort()).deep.equal([...texts].sort());
      await lane.step((transaction) =>
        transaction.upsert(
          target,
          texts.map((text) => table.row(text, at, bytes, "again")),
        ),
      );
      expect(await table.rows()).length(texts.length);
      await lane.step((transaction) =>
        transaction.remove(
          target,
          texts.filter((text) => text !== "a").map((text) => table.key(text, at, bytes)),
        ),
      );
      expect(await table.canonicalRows()).deep.equal([table.canonical(["a", at, bytes, "again"])]);
      await lane.close();
    });
  }
}

export const kinds = [
  "bigint",
  "numeric",
  "float",
  "boolean",
  "string",
  "text",
  "bytes",
  "bits",
  "json",
  "date",
  "time",
  "timestamp",
  "timestamptz",
] as const satisfies readonly ContractType[];

const texts = [
  "",
  " ",
  " both ends ",
  "\\",
  "\\N",
  "NULL",
  "null",
  "\t\n\r\b\f\v",
  "a\\nb",
  "'quoted' \"twice\" `thrice`",
  '{a,"b"}',
  "$1 ? :name %s %",
  "☃ ä 😀 \u{1F468}\u200d\u{1F469}",
  "\u0001\u007f",
  "[1,2]",
  "0",
];

/** One column's texts, as the source prints them. */
const values: Readonly<Record<(typeof kinds)[number], Readonly<Record<Engine, readonly (string | null)[]>>>> =
  {
    bigint: both(["0", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808"]),
    numeric: both(["0.00", "-0.01", "9999999999.99", "-9999999999.99", "1.50"]),
    float: both(["0", "-1.5", "0.1", "16777217"]),
    boolean: { postgres: ["true", "false"], mysql: ["1", "0"] },
    string: both(texts),
    text: both([...texts, "x".repeat(70_000), "😀".repeat(9_000)]),
    bytes: {
      postgres: ["\\x", "\\x00", "\\x5c785c", "\\xdeadbeef00ff0a0d09"],
      mysql: ["", "00", "5C785C", "DEADBEEF00FF0A0D09"],
    },
    bits: both(["00000000", "00000101", "11111111"]),
    json: both(['{"a": 1}', "[]", '"text"', "null", '{"a": "\\\\ \\" \\n"}', "12345678901234567890"]),
    date: both(["2026-01-02", "1970-01-01", "1000-01-01", "9999-12-31"]),
    time: {
      postgres: ["00:00:00", "23:59:59.999999", "12:30:00.5"],
      mysql: ["00:00:00.000000", "23:59:59.999999", "12:30:00.500000"],
    },
    timestamp: {
      postgres: ["2026-01-02 03:04:05", "2026-01-02 03:04:05.000001", "9999-12-31 23:59:59.999999"],
      mysql: ["2026-01-02 03:04:05.000000", "2026-01-02 03:04:05.000001", "9999-12-31 23:59:59.999999"],
    },
    timestamptz: {
      postgres: ["2026-01-02 03:04:05+00", "2026-01-02 03:04:05.000001+00", "2037-12-31 23:59:59.999999+00"],
      mysql: ["2026-01-02 03:04:05.000000", "2026-01-02 03:04:05.000001", "2037-12-31 23:59:59.999999"],
    },
  };

function both(texts: readonly string[]): Readonly<Record<Engine, readonly string[]>> {
  return { postgres: texts, mysql: texts };
}

/** At least `count` rows, that together hold every value of every column, and NULL in each. */
export function awkwardRows(source: Engine, count: number): readonly (readonly Cell[])[] {
  const needed = Math.max(...kinds.map((kind) => values[kind][source].length)) + 1;
  return Array.from({ length: Math.max(count, needed) }, (_, n) => [
    String(n + 1),
    ...kinds.map((kind) => {
      const choices = [...values[kind][source], null];
      return choices[n % choices.length]!;
    }),
  ]);
}
