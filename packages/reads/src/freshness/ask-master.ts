import type { DataSource } from "typeorm";

const defaultAnswerMs = 5_000;

/**
 * One row of texts, from the primary of a DataSource, whatever its `replication` says. An answer that takes longer is not waited for: its connection may have been cut
 * without a word.
 */
export async function askMaster(
  dataSource: DataSource,
  sql: string,
  answerMs = defaultAnswerMs,
): Promise<Readonly<Record<string, string | null>>> {
  const runner = dataSource.createQueryRunner("master");
  let timer: NodeJS.Timeout | undefined;
  try {
    const connection: unknown = await runner.connect();
    timer = setTimeout(() => cut(connection), answerMs);
    const rows = (await runner.query(sql)) as Record<string, unknown>[];
    return Object.fromEntries(
      Object.entries(rows[0] ?? {}).map(([name, value]) => [name, value == null ? null : String(value)]),
    );
  } finally {
    clearTimeout(timer);
    await runner.release();
  }
}

interface HasStream {
  readonly stream?: { destroy(): void };
}

/** Ends a connection of pg or mysql2, with an error for whoever waits for an answer. */
function cut(connection: unknown): void {
  const { stream, connection: inner } = connection as HasStream & { readonly connection?: HasStream };
  (stream ?? inner?.stream)?.destroy();
}
