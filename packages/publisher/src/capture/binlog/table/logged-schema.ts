import { fingerprintOf, type ColumnSchema, type TableSchema } from "@lockstep/core";
import { mysqlColumnKind } from "@lockstep/outbox/mysql";
import type { LoggedColumn, TableMap } from "../event/table-map.js";
import type { Charsets } from "../value/charsets.js";
import { comparableType, declaredTypeOf } from "./declared-type.js";

/** True when a schema that the catalog once gave describes the table that the log speaks of. Pure. */
export function describes(schema: TableSchema, map: TableMap, charsets: Pick<Charsets, "of">): boolean {
  return (
    schema.columns.length === map.columns.length &&
    schema.columns.every((column, i) => isSame(column, map.columns[i]!, charsets)) &&
    String(schema.key) === String(map.key.map((i) => map.columns[i]!.name))
  );
}

function isSame(column: ColumnSchema, logged: LoggedColumn, charsets: Pick<Charsets, "of">): boolean {
  return (
    column.name === logged.name &&
    column.nullable === logged.nullable &&
    comparableType(column.type) === declaredTypeOf(logged, charsets)
  );
}

/** The schema that the log itself tells, for tables that the catalog and its history no longer know so. Pure. */
export function schemaFromLog(map: TableMap, charsets: Pick<Charsets, "of">): TableSchema {
  const schema = {
    engine: "mysql" as const,
    namespace: map.namespace,
    name: map.name,
    columns: map.columns.map((column) => columnFromLog(column, charsets)),
    key: map.key.map((i) => map.columns[i]!.name),
  };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

function columnFromLog(column: LoggedColumn, charsets: Pick<Charsets, "of">): ColumnSchema {
  const told = declaredTypeOf(column, charsets);
  const type = told.replace(/\(\d+ members\)/, () => `(${membersOf(column)})`);
  const base = /^[a-z]+/.exec(type)![0];
  const number = /\((\d+)(?:,(\d+))?\)/.exec(column.members.length > 0 ? "" : type);
  return {
    name: column.name,
    type,
    kind: mysqlColumnKind(base, type, false),
    nullable: column.nullable,
    ...(base === "decimal" && { precision: Number(number?.[1]), scale: Number(number?.[2]) }),
    ...(/char$|binary$|^bit$/.test(base) && { length: Number(number?.[1]) }),
    ...(/^(time|datetime|timestamp)$/.test(base) && { precision: column.meta }),
  };
}

function membersOf({ members }: LoggedColumn): string {
  return members.map((member) => `'${member.toString("utf8").replaceAll("'", "''")}'`).join(",");
}
