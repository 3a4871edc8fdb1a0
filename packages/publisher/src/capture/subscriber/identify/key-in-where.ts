import type { Engine } from "@lockstep/core";
import type { CapturedTable } from "../captured-tables.js";
import type { KeyColumn } from "../key-text.js";
import { quoteName } from "../quote.js";
import type { WriteStatement } from "../write.js";

/**
 * The key that a statement names itself: its whole WHERE is `id = ?` or `id IN (?)` on a single integer key, as `save()` and
 * `update(id, …)` write it. An integer's text is known without asking. One key only: of several, the count of affected rows
 * doesn't tell which were there.
 */
export function keyInWhere(
  engine: Engine,
  table: CapturedTable,
  { sql, parameters, where }: Pick<WriteStatement, "sql" | "parameters" | "where">,
): string[] | undefined {
  const [key, second] = table.keys;
  if (key === undefined || second !== undefined || key.kind !== "integer") return undefined;
  // One WHERE only: with a second one, the clause at the end may belong to a subquery.
  if (where.toUpperCase().split("WHERE").length !== 2) return undefined;
  const found = endOf(engine, key).exec(sql);
  if (!found) return undefined;
  const place = engine === "mysql" ? parameters.length : Number(found[1] ?? found[2]);
  const text = integerText(parameters[place - 1]);
  return text === undefined ? undefined : [text];
}

const ends = new WeakMap<KeyColumn, RegExp>();

function endOf(engine: Engine, key: KeyColumn): RegExp {
  const known = ends.get(key);
  if (known) return known;
  const column = quoteName(engine, key.name).replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  const [placeholder, returning] =
    engine === "mysql" ? [String.raw`(\?)`, ""] : [String.raw`\$(\d+)`, "(?: RETURNING [^$]*)?"];
  const end = new RegExp(
    String.raw` WHERE [( ]*${column} (?:= ${placeholder}|IN \(${placeholder}\))[ )]*${returning}$`,
  );
  ends.set(key, end);
  return end;
}

/** The text that the database prints for an integer given by JavaScript, when that is beyond doubt. */
export function integerText(value: unknown): string | undefined {
  if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) {
    return String(value);
  }
  return typeof value === "string" && /^(?:0|-?[1-9]\d*)$/.test(value) ? value : undefined;
}
