import type { EntityManager } from "typeorm";
import type { App, DoorName } from "../app/open-app.js";

type Write = (manager: EntityManager) => Promise<unknown>;

/** Where a write path is run. */
export interface Context {
  readonly name: string;
  readonly door: DoorName;
  /** What is written in it is taken back: no row changes, no event may come. */
  readonly undone?: true;
  run(manager: EntityManager, write: Write): Promise<unknown>;
}

class Undone extends Error {}

const undoing =
  (write: Write): Write =>
  async (manager) => {
    await write(manager);
    throw new Undone();
  };

const unlessUndone = (error: unknown): void => {
  if (!(error instanceof Undone)) throw error;
};

const alone: Context = { name: "alone", door: "plain", run: (manager, write) => write(manager) };

const rolledBack: Context = {
  name: "rolled back",
  door: "plain",
  undone: true,
  run: (manager, write) => manager.transaction(undoing(write)).catch(unlessUndone),
};

// A roll-back leaves the rows as they were: the ones that follow it need no fresh start.
const all: readonly Context[] = [
  rolledBack,
  {
    name: "savepoint rolled back",
    door: "plain",
    undone: true,
    run: (manager, write) =>
      manager.transaction((outer) => outer.transaction(undoing(write)).catch(unlessUndone)),
  },
  alone,
  {
    name: "in a transaction",
    door: "plain",
    run: (manager, write) => manager.transaction(write),
  },
  {
    name: "in a nested transaction",
    door: "plain",
    run: (manager, write) => manager.transaction((outer) => outer.transaction(write)),
  },
  {
    name: "by an explicit query runner",
    door: "plain",
    run: byRunner,
  },
  { ...alone, name: "with the replication option", door: "replicated" },
  { ...alone, name: "with one connection", door: "single" },
];

/** The contexts that a path is run in. `short`: alone, and taken back. */
export function contextsOf(
  { ownTransaction, door }: { readonly ownTransaction?: true; readonly door?: "strict" | "lenient" },
  short: boolean,
): readonly Context[] {
  if (door) return [{ ...alone, door }];
  if (ownTransaction) return [alone];
  return short ? [rolledBack, alone] : all;
}

async function byRunner(manager: EntityManager, write: Write): Promise<void> {
  const either = manager as { dataSource?: EntityManager["connection"] };
  const runner = (either.dataSource ?? manager.connection).createQueryRunner();
  try {
    await runner.startTransaction();
    await write(runner.manager);
    await runner.commitTransaction();
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction();
    throw error;
  } finally {
    await runner.release();
  }
}

/** The manager that a context hands to a path. */
export function managerOf(app: App, { door }: Context): EntityManager {
  return app.doors[door].dataSource.manager;
}
