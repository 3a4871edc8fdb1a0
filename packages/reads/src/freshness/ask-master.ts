import type { DataSource } from "typeorm";

/** One row of texts, from the primary of a DataSource, whatever its `replication` says. */
export async function askMaster(
  dataSource: DataSource,
  sql: string,
): Promise<Readonly<Record<string, string | null>>> {
  const runner = dataSource.createQueryRunner("master");
  try {
    const rows = (await runner.query(sql)) as Record<string, unknown>[];
    return Object.fromEntries(
      Object.entries(rows[0] ?? {}).map(([name, value]) => [name, value == null ? null : String(value)]),
    );
  } finally {
    await runner.release();
  }
}
