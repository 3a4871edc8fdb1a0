import { LockstepError, type RowEmitter, type RowNote, type RunStatement, tableId } from "@lockstep/core";
import { givingWay } from "../give-way.js";
import { connectionsTo, type MysqlConnection } from "./connections.js";
import type { MysqlOutboxOptions } from "./outbox-place.js";
import { mysqlOutboxWriter } from "./outbox-writer.js";
import { causedBy, shapeReader } from "./table-shape.js";
import { readVersions, writeOver } from "./two-way/reassert.js";

const lockWaitTimeout = 1205;
const deadlock = 1213;

/** Sends rows of a MySQL or MariaDB source once more. */
export function mysqlRowEmitter(connection: MysqlConnection, options: MysqlOutboxOptions = {}): RowEmitter {
  const connections = connectionsTo(connection);
  const writer = mysqlOutboxWriter(options);
  const shapes = shapeReader();
  const inTransaction = (
    level: "REPEATABLE READ" | "READ COMMITTED",
    work: (run: RunStatement) => Promise<number>,
  ): Promise<number> =>
    givingWay(
      () =>
        connections.use(async ({ run }) => {
          await run("SET SESSION innodb_lock_wait_timeout = 1");
          await run(`SET TRANSACTION ISOLATION LEVEL ${level}`);
          await run("START TRANSACTION");
          const written = await work(run);
          await run("COMMIT");
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
    // REPEATABLE READ: a locking read of a key that isn't there locks the gap, so that nobody can insert it before the commit.
    inTransaction(op === "delete" ? "REPEATABLE READ" : "READ COMMITTED", (run) =>
      writer.append(
        run,
        keys.map((key) => ({ table, op, key })),
        { audience },
      ),
    );
  return {
    versions: (table, keys) => connections.use(({ run }) => readVersions(run, table, keys)),
    reassert: (table, node, rows) =>
      inTransaction("READ COMMITTED", async (run) => {
        const shape = await shapes(run, table);
        if (!shape) throw new LockstepError("ENTITY_UNKNOWN", `the table ${tableId(table)} does not exist`);
        await writeOver(run, shape, table, node, rows);
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

function isLocked(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return causedBy(error, lockWaitTimeout) || causedBy(error, deadlock) || isLocked(error.cause);
}
