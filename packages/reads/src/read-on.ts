import { LockstepError } from "@lockstep/core";
import type { DataSource, EntityManager } from "typeorm";
import { dialectOf, onlyReads } from "./statement.js";

type Send = (sql: string, ...given: unknown[]) => Promise<unknown>;

/** Runs `work` on one connection of a database, on which nothing but reads is let through. The primary is no exception: what is refused must not depend on where a read goes. */
export async function readOn<T>(
  dataSource: DataSource,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  // Its `master`, whatever its `replication` says: that is the server whose freshness is asked for.
  const runner = dataSource.createQueryRunner("master");
  const dialect = dialectOf(dataSource.options.type);
  const guarded =
    (send: Send): Send =>
    async (sql, ...given) => {
      if (onlyReads(sql, dialect)) return send(sql, ...given);
      throw new LockstepError(
        "REPLICA_READ_ONLY",
        "a statement that writes, locks or begins a transaction was sent through reads.read()",
      );
    };
  const { query, stream } = runner as unknown as { readonly query: Send; readonly stream: Send };
  Object.assign(runner, { query: guarded(query.bind(runner)), stream: guarded(stream.bind(runner)) });
  try {
    return await work(runner.manager);
  } finally {
    await runner.release();
  }
}
