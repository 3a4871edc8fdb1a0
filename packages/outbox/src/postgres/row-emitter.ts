import type { RowEmitter, RowNote, RunStatement } from "@lockstep/core";
import type pg from "pg";
import { givingWay } from "../give-way.js";
import { connectionsTo, type PostgresConnection } from "./connections.js";
import type { PostgresOutboxOptions } from "./outbox-names.js";
import { postgresOutboxWriter } from "./outbox-writer.js";
import { quoteName } from "./quote.js";
import { readVersions, writeOver } from "./two-way/reassert.js";

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
  const inTransaction = (work: (run: RunStatement) => Promise<number>): Promise<number> =>
    givingWay(
      () =>
        connections.use(async (client) => {
          const run = runOn(client);
          await run(`begin isolation level read committed`);
          await run(`set local lock_timeout = '${lockTimeout}'`);
          const written = await work(run);
          await run("commit");
          return written;
        }),
      isLocked,
    );
  const emit = (
    table: RowNote["table"],
    op: RowNote["op"],
    keys: readonly (readonly string[])[],
    audience: readonly string[],
  ): Promise<number> =>
    inTransaction(async (run) => {
      // Absence can't be locked row by row: a row that a transaction in progress has inserted would be deleted from the target for good.
      if (op === "delete")
        await run(`lock table ${quoteName(table.namespace)}.${quoteName(table.name)} in share mode`);
      return writer.append(
        run,
        keys.map((key) => ({ table, op, key })),
        { audience },
      );
    });
  return {
    versions: (table, keys) => connections.use((client) => readVersions(runOn(client), table, keys)),
    reassert: (table, node, rows) =>
      inTransaction(async (run) => {
        await writeOver(run, options.schema ?? "lockstep", table, node, rows);
        return writer.append(
          run,
          rows.map(({ key }) => ({ table, op: "update", key })),
          {},
        );
      }),
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
