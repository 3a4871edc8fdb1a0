import { AsyncLocalStorage } from "node:async_hooks";
import type { DataSource, EntityManager } from "typeorm";
import { inTime } from "./freshness/until-it-has.js";

/** Knows which code runs inside the callback of a transaction of a DataSource; a transaction that a query runner opens by hand isn't seen. */
export interface InsideTransaction {
  /**
   * From here on code inside is told from other code. Not before it is needed: on Node 20 promises of the whole application are more than twice as dear from the first
   * transaction on that has an async context.
   */
  begin(): void;
  /** Whether the running code does, and the transaction is still open. Not known of transactions that were open when it began. */
  isInside(): boolean;
  /**
   * Begins, and says whether the running code does, or may: transactions that were open when it began are waited for, and code that waits inside of one of them keeps it
   * from ending until the deadline.
   */
  maybeInside(deadline: number): Promise<boolean>;
  stop(): void;
}

type Transaction = (...given: unknown[]) => Promise<unknown>;

/** Watches `dataSource.transaction(…)` and what stands on it. */
export function watchTransactions({ manager }: Pick<DataSource, "manager">): InsideTransaction {
  const context = new AsyncLocalStorage<{ isOpen: boolean }>();
  /** Those whose code isn't known. */
  const unseen = new Set<Promise<unknown>>();
  let hasBegun = false;
  const own = Object.getOwnPropertyDescriptor(manager, "transaction");
  const { transaction } = manager as { transaction: Transaction };
  const seen: Transaction = async (...given) => {
    const here = { isOpen: true };
    const wrapped = given.map((one) =>
      // The callback; beside it an isolation level, or nothing.
      typeof one === "function"
        ? (inner: EntityManager): unknown => context.run(here, () => one(inner) as unknown)
        : one,
    );
    try {
      return await transaction.apply(manager, wrapped);
    } finally {
      here.isOpen = false;
    }
  };
  const watched: Transaction = async (...given) => {
    if (hasBegun) return seen(...given);
    const running = transaction.apply(manager, given);
    unseen.add(running);
    try {
      return await running;
    } finally {
      unseen.delete(running);
    }
  };
  Object.assign(manager, { transaction: watched });
  const isInside = (): boolean => context.getStore()?.isOpen === true;
  const begin = (): void => void (hasBegun = true);
  return {
    begin,
    isInside,
    async maybeInside(deadline) {
      begin();
      if (isInside()) return true;
      if (unseen.size === 0) return false;
      const ended = Promise.allSettled(unseen).then(() => true);
      return (await inTime(ended, deadline)) !== true;
    },
    stop() {
      // Somebody else may watch it, too: before, or since.
      if ((manager as { transaction: unknown }).transaction !== watched) return;
      Reflect.deleteProperty(manager, "transaction");
      if (own !== undefined) Object.defineProperty(manager, "transaction", own);
    },
  };
}
