import { assignedColumns, setsKey } from "./assigned-columns.js";
import { keyInWhere } from "./key-in-where.js";
import { hasWritingCte } from "./writing-cte.js";
import type { BuilderWrite, WriteStatement } from "../write.js";

/**
 * The key of the one row that an UPDATE touches, where its text says so and nothing else changes along: known before it is sent, so that its
 * image can be read in the same message.
 */
export function namedByUpdate(write: BuilderWrite, statement: WriteStatement): readonly string[] | undefined {
  if (write.builder.expressionMap.queryType !== "update" || hasWritingCte(write.builder)) return undefined;
  const key = keyInWhere(write.engine, write.table, statement);
  if (key === undefined) return undefined;
  const assigned = assignedColumns(write);
  if (setsKey(write.table, assigned)) return undefined;
  const change = { kind: "update", columns: assigned.map(({ column }) => column) } as const;
  return write.rules.tables.cascades.follow(write.table.table, change) ? undefined : key;
}
