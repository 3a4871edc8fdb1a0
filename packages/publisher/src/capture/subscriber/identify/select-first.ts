import type { Captured } from "../session.js";
import type { BuilderWrite, WriteStatement } from "../write.js";
import { keyInWhere } from "./key-in-where.js";
import { lockRows } from "./locked-rows.js";

/** Where the server doesn't return keys: the rows are locked and read before they change. */
export function selectFirst(op: "update" | "delete") {
  return async (write: BuilderWrite, statement: WriteStatement): Promise<Captured> => {
    const told = statement.locked ? undefined : keyInWhere(write.engine, write.table, statement);
    if (told) {
      const result = await write.execute(statement.sql, statement.parameters);
      // A key from the statement's own text: that row may not be there.
      return { result, notes: result.affected === 0 ? [] : [write.note(op, told)] };
    }
    const { sql, parameters, locked } = await lockRows(write, statement);
    const result = await write.execute(sql, parameters);
    if ((result.affected ?? 0) > locked.length) {
      return { result, notes: write.lost("a WHERE that chose more rows when asked again") };
    }
    return { result, notes: locked.map((key) => write.note(op, key)) };
  };
}
