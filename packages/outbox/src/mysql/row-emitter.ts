import type { RowEmitter, RowNote } from "@lockstep/core";
import { givingWay } from "../give-way.js";
import { connectionsTo, type MysqlConnection } from "./connections.js";
import type { MysqlOutboxOptions } from "./outbox-place.js";
import { mysqlOutboxWriter } from "./outbox-writer.js";
import { causedBy } from "./table-shape.js";

const lockWaitTimeout = 1205;
const deadlock = 1213;

/** Sends rows of a MySQL or MariaDB source once more. */
export function mysqlRowEmitter(connection: MysqlConnection, options: MysqlOutboxOptions = {}): RowEmitter {
  const connections = connectionsTo(connection);
  const writer = mysqlOutboxWriter(options);
  const emit = (
    table: RowNote["table"],
    op: RowNote["op"],
    keys: readonly (readonly string[])[],
    audience: readonly string[],
  ): Promise<number> =>
    givingWay(
      () =>
        connections.use(async (session) => {
          await session.run("SET SESSION innodb_lock_wait_timeout = 1");
          // REPEATABLE READ: a locking read of a key that isn't there locks the gap, so that nobody can insert it before the commit.
          const level = op === "delete" ? "REPEATABLE READ" : "READ COMMITTED";
          await session.run(`SET TRANSACTION ISOLATION LEVEL ${level}`);
          await session.run("START TRANSACTION");
          const written = await writer.append(
            session.run,
            keys.map((key) => ({ table, op, key })),
            { audience },
          );
          await session.run("COMMIT");
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

function isLocked(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return causedBy(error, lockWaitTimeout) || causedBy(error, deadlock) || isLocked(error.cause);
}
