import { createHash } from "node:crypto";
import { isLockstepError } from "@lockstep/core";
import { textLiteral } from "../sql/literal.js";
import { packets } from "../sql/packets.js";
import type { Session } from "../session/session.js";
import { keyTexts, type PlannedColumn, type TablePlan } from "../tables/mysql-table.js";

/** Stands for a key, which may be longer than an index entry can be. */
function keyHash(key: string): string {
  return createHash("sha256").update(key).digest("base64url").slice(0, 32);
}

/** A key and texts that travel with it. */
export interface KeyRow {
  readonly key: string;
  readonly more?: readonly (string | null)[];
}

/**
 * Statements over keys, each below the packet limit: `s` has a row for each key, with its place `n`, its hash `h`, its columns `k0`… and `m0`… of what travels with it. `of` makes
 * the statement around it.
 */
export function* overKeyRows(
  { flavour }: Session,
  plan: TablePlan,
  rows: readonly KeyRow[],
  of: { readonly head: string; readonly tail: string },
): Generator<string> {
  const more = rows[0]?.more ?? [];
  const names = ["n", "h", ...plan.key.map((_, i) => `k${i}`), ...more.map((_, i) => `m${i}`)];
  const word = flavour.product === "mariadb" ? "" : "ROW";
  const literals = rows.map((row, n) => `${word}(${rowLiterals(plan, row, n).join(",")})`);
  const head = `${of.head} WITH s (${names.join(",")}) AS (VALUES `;
  for (const { sql } of packets(head, literals, ",", `) ${of.tail}`, flavour.maxPacketBytes)) yield sql;
}

/** Joins the table `t` to `s` by its primary key, and `b`, the bases, by the hash. */
export function joinedRows(plan: TablePlan): string {
  const match = plan.key.map(({ quoted }, i) => `t.${quoted} = s.k${i}`).join(" AND ");
  return `s LEFT JOIN ${plan.table} t ON ${match}`;
}

function rowLiterals(plan: TablePlan, { key, more = [] }: KeyRow, n: number): readonly string[] {
  const texts = keyTexts(key);
  const cells = plan.key.map((column, i) => typedLiteral(column, texts[i]!));
  return [
    String(n),
    textLiteral(keyHash(key)),
    ...cells,
    ...more.map((text) => (text === null ? "NULL" : textLiteral(text))),
  ];
}

// Of the column's own type and collation: otherwise the primary key would not be used to find the row.
function typedLiteral(column: PlannedColumn, text: string): string {
  const { type, fraction = 0, collation } = column.target;
  const literal = writtenKey(column, text);
  if (literal === "NULL") return literal;
  switch (type) {
    case "date":
      return `CAST(${literal} AS DATE)`;
    case "datetime":
    case "timestamp":
      return `CAST(${literal} AS DATETIME(${fraction}))`;
    case "time":
      return `CAST(${literal} AS TIME(${fraction}))`;
    default:
      return collation === undefined || collation === "" || !literal.startsWith("'")
        ? literal
        : `CONVERT(${literal} USING ${collation.split("_")[0]}) COLLATE ${collation}`;
  }
}

/** NULL finds nothing: of a key that the column can't hold there is no row. */
function writtenKey(column: PlannedColumn, text: string): string {
  try {
    return column.write(text);
  } catch (error) {
    if (isLockstepError(error, "TARGET_VALUE")) return "NULL";
    throw error;
  }
}
