import type { ColumnSchema, RunStatement } from "@lockstep/core";
import { quoteName, quoteText } from "../quote.js";
import type { TableShape } from "../table-shape.js";

/** A table whose rows change along with others. */
export interface FollowedTable {
  readonly shape: TableShape;
  readonly isCaptured: boolean;
  /** Types of the key's columns as a stored program declares its variables, in key order. */
  readonly keyTypes: readonly string[];
}

/** Most columns that a key of a followed table may have: MySQL's own limit. */
export const maxKeyColumns = 16;

/** Kinds whose text doesn't give the value back exactly, in whatever session. */
const inexact: ReadonlySet<ColumnSchema["kind"]> = new Set(["float", "timestamptz"]);

/** Why rows of a table can't be followed; `undefined` when they can. Pure. */
export function whyNotFollowed({ keyColumns }: TableShape): string | undefined {
  if (keyColumns.length === 0) return "it has no primary key";
  if (keyColumns.length > maxKeyColumns) return `its key has more than ${maxKeyColumns} columns`;
  const odd = keyColumns.find(({ kind }) => inexact.has(kind));
  return odd && `its key holds ${odd.name}, a ${odd.type}`;
}

/** Asks for what a shape doesn't say: variables must compare as the columns do, or the key's index isn't used. */
export async function readKeyTypes(
  run: RunStatement,
  { schema, keyColumns }: TableShape,
): Promise<readonly string[]> {
  const rows =
    await run(`SELECT column_name AS name, character_set_name AS charset, collation_name AS collation
  FROM information_schema.columns WHERE table_schema = ${quoteText(schema.namespace)} AND table_name = ${quoteText(schema.name)}`);
  return keyColumns.map(({ name, type }) => {
    const row = rows.find((column) => String(column["name"]) === name);
    const charset = row?.["charset"];
    return charset == null
      ? type
      : `${type} CHARACTER SET ${String(charset)} COLLATE ${String(row?.["collation"])}`;
  });
}

/** Variables that hold a row's key, in key order. */
export function keyVariables({ shape }: FollowedTable): string[] {
  return shape.keyColumns.map((_, i) => `lockstep_k${i}`);
}

/** Their declarations. */
export function declareKey(table: FollowedTable): string {
  return keyVariables(table)
    .map((name, i) => `DECLARE ${name} ${table.keyTypes[i]};`)
    .join("\n");
}

/** The condition that finds that row under an alias. */
export function isKeyed(table: FollowedTable, alias: string): string {
  return table.shape.keyColumns
    .map(({ name }, i) => `${alias}.${quoteName(name)} = lockstep_k${i}`)
    .join(" AND ");
}
