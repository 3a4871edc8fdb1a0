import { LockstepError } from "@lockstep/core";
import type { DataSource, EntityManager } from "typeorm";
import { onlyReads } from "./statement.js";

/** Runs `work` on one connection of a replica, on which nothing but reads is let through. */
export async function readOn<T>(
  dataSource: DataSource,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner("slave");
  const query = runner.query.bind(runner) as (sql: string, ...given: unknown[]) => Promise<unknown>;
  const guarded = async (sql: string, ...given: unknown[]): Promise<unknown> => {
    if (onlyReads(sql)) return query(sql, ...given);
    throw new LockstepError(
      "REPLICA_READ_ONLY",
      "a statement that writes, locks or begins a transaction was sent to a replica",
    );
  };
  Object.assign(runner, { query: guarded });
  try {
    return await work(runner.manager);
  } finally {
    await runner.release();
  }
}
