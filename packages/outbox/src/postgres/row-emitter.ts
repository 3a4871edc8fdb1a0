import type { RowEmitter, RowNote, RunStatement } from "@lockstep/core";
import type pg from "pg";
import { givingWay } from "../give-way.js";
import { connectionsTo, type PostgresConnection } from "./connections.js";
import type { PostgresOutboxOptions } from "./outbox-names.js";
import { postgresOutboxWriter } from "./outbox-writer.js";
import { quoteName } from "./quote.js";

/** Below deadlock_timeout (1 s): this session gives way, never the application (PROTOCOL.md 22). */
const lockTimeout = "300ms";
// lock_not_available, deadlock_detected, serialization_failure.
const locked = new Set(["55P03", "40P01", "40001"]);

/** Sends rows of a PostgreSQL source once more. */
export function postgresRowEmitter(
  connection: PostgresConnection,
  source: string,
  options: PostgresOutboxOptions = {},
): RowEmitter {
  const connections = connectionsTo(connection, `lockstep repair ${source}`);
  const writer = postgresOutboxWriter(options);
  const emit = (
    table: RowNote["table"],
    op: RowNote["op"],
    keys: readonly (readonly string[])[],
    audience: readonly string[],
  ): Promise<number> =>
    givingWay(
      () =>
        connections.use(async (client) => {
          const run = runOn(client);
          await run(`begin isolation level read committed`);
          await run(`set local lock_timeout = '${lockTimeout}'`);
          // Absence can't be locked row by row: a row that a transaction in progress has inserted would be deleted from the target for good.
          if (op === "delete")
            await run(`lock table ${quoteName(table.namespace)}.${quoteName(table.name)} in share mode`);
          const written = await writer.append(
            run,
            keys.map((key) => ({ table, op, key })),
            { audience },
          );
          await run("commit");
          return written;
        }),
      isLocked,
    );
  return {
    emit: (table, keys, audience) => emit(table, "insert", keys, audience),
    emitOrDelete: (table, keys, audience) => emit(table, "delete", keys, audience),
    close: () => connections.close(),
  };
}

function runOn(client: pg.ClientBase): RunStatement {
  return async (sql, parameters) =>
    (await client.query<Record<string, unknown>>(sql, parameters && [...parameters])).rows;
}

function isLocked(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && locked.has(String(error.code))) || isLocked(error.cause);
}
