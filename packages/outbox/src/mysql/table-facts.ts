import { type RowNote, type RunStatement, type SnapshotTable, tableId } from "@lockstep/core";

/** What the catalog says of a table's size and of its place among others. */
export async function tableFacts(
  run: RunStatement,
  table: RowNote["table"],
): Promise<Pick<SnapshotTable, "parents" | "estimatedRows" | "estimatedRowBytes">> {
  const names = [table.namespace, table.name];
  const [size] = await run(
    "SELECT table_rows AS n, avg_row_length AS bytes FROM information_schema.tables WHERE table_schema = ? AND table_name = ?",
    names,
  );
  const parents = await run(
    `SELECT DISTINCT referenced_table_schema AS namespace, referenced_table_name AS name FROM information_schema.key_column_usage
  WHERE table_schema = ? AND table_name = ? AND referenced_table_name IS NOT NULL`,
    names,
  );
  const bytes = Number(size?.["bytes"] ?? 0);
  return {
    parents: parents
      .map((row) => tableId({ namespace: String(row["namespace"]), name: String(row["name"]) }))
      .filter((parent) => parent !== tableId(table)),
    ...(size?.["n"] != null && { estimatedRows: Number(size["n"]) }),
    ...(bytes > 0 && { estimatedRowBytes: bytes }),
  };
}
