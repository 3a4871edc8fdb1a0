import { AsyncLocalStorage } from "node:async_hooks";
import type { DataSource, EntityManager } from "typeorm";

/** Knows which code runs inside the callback of a transaction of a DataSource; a transaction that a query runner opens by hand isn't seen. */
export interface InsideTransaction {
  /** Whether the running code does, and the transaction is still open. */
  isInside(): boolean;
  stop(): void;
}

/** Watches `dataSource.transaction(…)` and what stands on it. */
export function watchTransactions({ manager }: Pick<DataSource, "manager">): InsideTransaction {
  const open = new AsyncLocalStorage<{ isOpen: boolean }>();
  const own = Object.getOwnPropertyDescriptor(manager, "transaction");
  const { transaction } = manager as { transaction: (...given: unknown[]) => Promise<unknown> };
  const watched = async (...given: unknown[]): Promise<unknown> => {
    const here = { isOpen: true };
    const wrapped = given.map((one) =>
      // The callback; beside it an isolation level, or nothing.
      typeof one === "function"
        ? (inner: EntityManager): unknown => open.run(here, () => one(inner) as unknown)
        : one,
    );
    try {
      return await transaction.apply(manager, wrapped);
    } finally {
      here.isOpen = false;
    }
  };
  Object.assign(manager, { transaction: watched });
  return {
    isInside: () => open.getStore()?.isOpen === true,
    stop() {
      // Somebody else may watch it, too: before, or since.
      if ((manager as { transaction: unknown }).transaction !== watched) return;
      Reflect.deleteProperty(manager, "transaction");
      if (own !== undefined) Object.defineProperty(manager, "transaction", own);
    },
  };
}
