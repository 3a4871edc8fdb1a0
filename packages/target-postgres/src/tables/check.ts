import { type ErrorCode, LockstepError, type TableSchema, tableId } from "@lockstep/core";
import type { CatalogColumn, CatalogTable } from "./catalog.js";

/** Something that stands in the way of writing a table. */
export interface TableProblem {
  readonly code: Extract<
    ErrorCode,
    | "CONFIG_INVALID"
    | "TARGET_TABLE_MISSING"
    | "TARGET_COLUMN_MISSING"
    | "TARGET_KEY_MISMATCH"
    | "TARGET_KEY_COLLATION"
  >;
  readonly what: string;
}

/** What to check against. */
export interface CheckOptions {
  readonly namespace: string;
  readonly allowInsensitiveKeys: boolean;
}

/** Everything that is wrong with the target's tables for these schemas. Pure. */
export function findProblems(
  schemas: readonly TableSchema[],
  catalog: ReadonlyMap<string, CatalogTable>,
  options: CheckOptions,
): readonly TableProblem[] {
  return schemas.flatMap((schema): readonly TableProblem[] => {
    const name = `${options.namespace}.${schema.name}`;
    const table = catalog.get(schema.name);
    if (table === undefined) {
      return [{ code: "TARGET_TABLE_MISSING", what: `table ${name} (of ${tableId(schema)}) is missing` }];
    }
    return [
      ...missingColumns(schema, table, name),
      ...keyMismatch(schema, table, name),
      ...(options.allowInsensitiveKeys ? [] : insensitiveKeys(schema, table, name)),
    ];
  });
}

/** @throws LockstepError of the first problem's code, naming all of them. */
export function refuseProblems(problems: readonly TableProblem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const lines = [...new Set(problems.map(({ what }) => what))];
  throw new LockstepError(first.code, `the target's tables don't fit: ${lines.join("; ")}.`, {
    details: { problems: lines },
  });
}

function missingColumns(schema: TableSchema, table: CatalogTable, name: string): readonly TableProblem[] {
  const there = new Set(table.columns.map((column) => column.name));
  const missing = schema.columns.filter((column) => !there.has(column.name)).map((column) => column.name);
  if (missing.length === 0) return [];
  const noun = missing.length === 1 ? "column" : "columns";
  return [{ code: "TARGET_COLUMN_MISSING", what: `table ${name} lacks ${noun} ${missing.join(", ")}` }];
}

// The order of the columns in the key doesn't matter: which rows are the same doesn't depend on it.
function keyMismatch(schema: TableSchema, table: CatalogTable, name: string): readonly TableProblem[] {
  const same =
    table.key.length === schema.key.length && schema.key.every((column) => table.key.includes(column));
  if (same) return [];
  const found = table.key.length === 0 ? "none" : `(${table.key.join(", ")})`;
  const what = `table ${name} needs the primary key (${schema.key.join(", ")}) and has ${found}`;
  return [{ code: "TARGET_KEY_MISMATCH", what }];
}

/** Types of a source that ignore spaces at the end, too. */
const padded = /^(character\(|bpchar$)/;

function insensitiveKeys(schema: TableSchema, table: CatalogTable, name: string): readonly TableProblem[] {
  const merges = (column: CatalogColumn): boolean => {
    const source = schema.columns.find(({ name }) => name === column.name);
    return column.insensitive || (column.padded && !padded.test(source?.type ?? ""));
  };
  return table.columns
    .filter((column) => schema.key.includes(column.name) && merges(column))
    .map((column) => ({
      code: "TARGET_KEY_COLLATION",
      what: `key column ${column.name} of table ${name} takes different texts for equal`,
    }));
}
