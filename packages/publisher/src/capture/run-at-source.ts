import { LockstepError, type RunStatement } from "@lockstep/core";
import type { CaptureSource } from "./source-capture.js";

/**
 * Lends a session of the source, on a connection of its own that is closed afterwards. Statements commit one by one.
 * @throws LockstepError SOURCE_UNAVAILABLE when it can't be opened; what `work` throws.
 */
export async function runAtSource<T>(
  source: CaptureSource,
  work: (run: RunStatement) => Promise<T>,
): Promise<T> {
  const session = await opened(source);
  try {
    return await work(session.run);
  } finally {
    await session.close();
  }
}

interface OpenSession {
  readonly run: RunStatement;
  close(): Promise<unknown>;
}

async function opened(source: CaptureSource): Promise<OpenSession> {
  try {
    return await (source.engine === "postgres"
      ? openPostgres(source.connection)
      : openMysql(source.connection));
  } catch (cause) {
    throw new LockstepError("SOURCE_UNAVAILABLE", `the source ${source.name} can't be reached`, { cause });
  }
}

// The drivers are loaded when they are needed: whoever has one kind of source needn't install the other's.
async function openPostgres(
  connection: Extract<CaptureSource, { readonly engine: "postgres" }>["connection"],
): Promise<OpenSession> {
  const { default: pg } = await import("pg");
  const client = new pg.Client(connection);
  client.on("error", () => undefined);
  await client.connect();
  // Only the catalog is read here: compiling such a query takes twenty times as long as running it.
  await client.query("set jit = off");
  return {
    run: async (sql, parameters = []) =>
      (await client.query<Record<string, unknown>>(sql, [...parameters])).rows ?? [],
    close: () => client.end(),
  };
}

async function openMysql(
  connection: Extract<CaptureSource, { readonly engine: "mysql" }>["connection"],
): Promise<OpenSession> {
  const { createConnection } = await import("mysql2/promise");
  const client = await (typeof connection === "string"
    ? createConnection(connection)
    : createConnection(connection));
  return {
    run: async (sql, parameters = []) => {
      const [rows] = await client.query(sql, [...parameters]);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    },
    close: () => client.end(),
  };
}
