import { LockstepError, type ErrorCode, plainTextKinds, type TableSchema } from "@lockstep/core";
import type { Flavour } from "../session/flavour.js";
import type { CatalogTable } from "./catalog.js";

interface Problem {
  readonly code: ErrorCode;
  readonly what: string;
}

/**
 * Checks that the tables can mirror these schemas.
 * @throws LockstepError with the code of the gravest problem and a message that names all of them.
 */
export function checkTables(
  schemas: readonly TableSchema[],
  catalog: ReadonlyMap<string, CatalogTable>,
  options: { readonly namespace: string; readonly allowInsensitiveKeys: boolean },
  flavour: Flavour,
): void {
  const problems = schemas.flatMap((schema) => {
    const table = catalog.get(schema.name);
    const name = `${options.namespace}.${schema.name}`;
    if (table === undefined)
      return [{ code: "TARGET_TABLE_MISSING", what: `table ${name} is missing` } as const];
    return problemsOf(schema, table, name, options.allowInsensitiveKeys, flavour);
  });
  if (problems.length === 0) return;
  const gravest = order.find((code) => problems.some((problem) => problem.code === code))!;
  const what = [...new Set(problems.map((problem) => problem.what))];
  throw new LockstepError(gravest, what.join("; "), { details: { problems: what } });
}

const order: readonly ErrorCode[] = [
  "TARGET_TABLE_MISSING",
  "TARGET_COLUMN_MISSING",
  "TARGET_KEY_MISMATCH",
  "TARGET_KEY_COLLATION",
];

function problemsOf(
  schema: TableSchema,
  table: CatalogTable,
  name: string,
  allowInsensitiveKeys: boolean,
  flavour: Flavour,
): readonly Problem[] {
  const problems: Problem[] = [];
  if (table.engine.toLowerCase() !== "innodb") {
    problems.push({
      code: "TARGET_TABLE_MISSING",
      what: `table ${name} is of engine ${table.engine}, which has no transactions`,
    });
  }
  for (const column of schema.columns) {
    if (!table.columns.has(column.name.toLowerCase())) {
      problems.push({ code: "TARGET_COLUMN_MISSING", what: `column ${name}.${column.name} is missing` });
    }
  }
  if (!sameSet(schema.key, table.key)) {
    const key = table.key.length === 0 ? "none" : `(${table.key.join(", ")})`;
    const what = `the primary key of ${name} is ${key}, of the source (${schema.key.join(", ")})`;
    problems.push({ code: "TARGET_KEY_MISMATCH", what });
  }
  if (table.keyIsPrefix) {
    problems.push({
      code: "TARGET_KEY_MISMATCH",
      what: `the primary key of ${name} covers only the start of a column`,
    });
  }
  if (!allowInsensitiveKeys) problems.push(...collationProblems(schema, table, name, flavour));
  return problems;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const names = new Set(b.map((name) => name.toLowerCase()));
  return a.length === b.length && a.every((name) => names.has(name.toLowerCase()));
}

// utf8mb4_bin is not enough: it ignores trailing spaces, so that 'a ' would overwrite 'a' (PROTOCOL.md 32).
function collationProblems(
  schema: TableSchema,
  table: CatalogTable,
  name: string,
  flavour: Flavour,
): readonly Problem[] {
  return schema.columns.flatMap((column): readonly Problem[] => {
    const collation = table.columns.get(column.name.toLowerCase())?.collation;
    if (!schema.key.includes(column.name) || plainTextKinds.has(column.kind) || collation === undefined)
      return [];
    if (/(_nopad_bin|_0900_bin)$/.test(collation)) return [];
    const what = `key column ${name}.${column.name} has collation ${collation}, which takes different keys for the same (use ${flavour.exactCollation})`;
    return [{ code: "TARGET_KEY_COLLATION", what }];
  });
}
