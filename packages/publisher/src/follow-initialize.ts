import type { DataSource } from "typeorm";

const followers = new WeakMap<DataSource, (() => Promise<void>) | undefined>();

/**
 * Calls `initialized` at the end of each `initialize()` of the DataSource, before its caller goes on: also after `destroy()`, which forgets
 * the entities' metadata. One follower per DataSource: a new one replaces the last, `undefined` ends it.
 */
export function followInitialize(
  dataSource: DataSource,
  initialized: (() => Promise<void>) | undefined,
): void {
  const wrapped = followers.has(dataSource);
  followers.set(dataSource, initialized);
  if (wrapped) return;
  const initialize = dataSource.initialize.bind(dataSource);
  dataSource.initialize = async () => {
    const result = await initialize();
    await followers.get(dataSource)?.();
    return result;
  };
}
