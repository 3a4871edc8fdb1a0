import type { DataSource, EntityManager, EntitySubscriberInterface } from "typeorm";
import { savedBy } from "./saved-with.js";

/** What is to be heard of a DataSource. */
export interface Watch {
  readonly subscriber: EntitySubscriberInterface;
  /** Called before entities are written as they are; throwing refuses it. */
  readonly saving?: (what: ReturnType<typeof savedBy>) => void;
}

const watched = new WeakMap<DataSource, Set<Watch>>();

/** Watches a DataSource until what it gives is called; also when it is destroyed and initialized again, which forgets subscribers. */
export function watch(dataSource: DataSource, one: Watch): () => void {
  const all = watched.get(dataSource) ?? attend(dataSource);
  all.add(one);
  resubscribe(dataSource, all);
  return () => {
    all.delete(one);
    const at = dataSource.subscribers.indexOf(one.subscriber);
    if (at >= 0) dataSource.subscribers.splice(at, 1);
  };
}

/** Once for a DataSource: nothing of it is taken back, as others may have wrapped it since; with nobody who watches it does nothing. */
function attend(dataSource: DataSource): Set<Watch> {
  const all = new Set<Watch>();
  watched.set(dataSource, all);
  const create = dataSource.createEntityManager.bind(dataSource);
  wrapSaves(dataSource, dataSource.manager, all);
  // Every query runner gets its manager here, before its first statement.
  dataSource.createEntityManager = (queryRunner) => {
    resubscribe(dataSource, all);
    return wrapSaves(dataSource, create(queryRunner), all);
  };
  return all;
}

function resubscribe({ subscribers }: DataSource, all: ReadonlySet<Watch>): void {
  for (const { subscriber } of all) if (!subscribers.includes(subscriber)) subscribers.push(subscriber);
}

type Write = (...given: unknown[]) => Promise<unknown>;

function wrapSaves(dataSource: DataSource, manager: EntityManager, all: ReadonlySet<Watch>): EntityManager {
  for (const name of ["save", "softRemove", "recover"] as const) {
    const write = manager[name].bind(manager) as Write;
    const watchedWrite: Write = async (...given) => {
      const listening = [...all].filter(({ saving }) => saving);
      if (listening.length > 0) {
        const what = savedBy(dataSource, given);
        for (const { saving } of listening) saving!(what);
      }
      return write(...given);
    };
    Object.assign(manager, { [name]: watchedWrite });
  }
  return manager;
}
