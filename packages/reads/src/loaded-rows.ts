import { isDeepStrictEqual } from "node:util";
import { LockstepError } from "@lockstep/core";
import type { DataSource, EntityMetadata, EntitySubscriberInterface, LoadEvent, UpdateEvent } from "typeorm";

type ColumnMetadata = EntityMetadata["columns"][number];

/** Entities that came from a replica, with their columns as they came, by path; less those that were saved since. */
type Loaded = WeakMap<object, Map<string, unknown>>;

/**
 * TypeORM compares what it saves with the primary's row: an entity that was read from a replica that was behind, and changed in one column, would write the others back
 * as they were. So entities that replicas load are remembered, and saving one that would write a column which nobody changed is refused.
 */
export function loadedRows(): {
  readonly ofReplica: EntitySubscriberInterface;
  readonly ofPrimary: EntitySubscriberInterface;
} {
  const loaded: Loaded = new WeakMap();
  return {
    ofReplica: {
      afterLoad(entity: object, event?: LoadEvent<object>) {
        if (event?.metadata) loaded.set(entity, copyOf(entity, event.metadata));
      },
    },
    ofPrimary: {
      beforeUpdate({ entity, updatedColumns, updatedRelations, metadata }: UpdateEvent<object>) {
        const before = entity && loaded.get(entity);
        if (!before) return;
        // A relation is written by its columns.
        const written = [...updatedColumns, ...updatedRelations.flatMap(({ joinColumns }) => joinColumns)];
        const stale = written.filter((column) => isUnchanged(before, column, entity));
        if (stale.length === 0) {
          // From now on they are the application's, also where it sets them back.
          for (const column of written) before.delete(column.propertyPath);
          return;
        }
        throw new LockstepError(
          "STALE_ENTITY",
          `${metadata.name} was read from a replica: saving it would write ${stale.map((c) => c.propertyName).join(", ")} back as the replica had it`,
        );
      },
    },
  };
}

function isUnchanged(before: ReadonlyMap<string, unknown>, column: ColumnMetadata, entity: object): boolean {
  return (
    before.has(column.propertyPath) &&
    isDeepStrictEqual(before.get(column.propertyPath), column.getEntityValue(entity))
  );
}

function copyOf(entity: object, { columns }: EntityMetadata): Map<string, unknown> {
  return new Map(
    columns.filter(isThere).map((column) => {
      const value: unknown = column.getEntityValue(entity);
      return [column.propertyPath, cloned(value)];
    }),
  );
}

/** Looking at a lazy relation would load it. */
function isThere({ isVirtual, relationMetadata }: ColumnMetadata): boolean {
  return !(isVirtual && relationMetadata?.isLazy);
}

/**
 * A copy, where it is equal. What an application's transformer made, and a Buffer, come out of it as something else, which would count as changed: these are kept
 * themselves, so that one which is changed in place counts as unchanged, and saving it is refused.
 */
function cloned(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  try {
    const copy: unknown = structuredClone(value);
    return isDeepStrictEqual(copy, value) ? copy : value;
  } catch {
    return value;
  }
}

/** Adds a subscriber to a DataSource; gives what removes it. */
export function subscribe(dataSource: DataSource, subscriber: EntitySubscriberInterface): () => void {
  dataSource.subscribers.push(subscriber);
  return () => {
    const at = dataSource.subscribers.indexOf(subscriber);
    if (at >= 0) dataSource.subscribers.splice(at, 1);
  };
}
