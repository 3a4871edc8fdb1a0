import { isDeepStrictEqual } from "node:util";
import { LockstepError } from "@lockstep/core";
import type { DataSource, EntityMetadata, EntitySubscriberInterface, LoadEvent, UpdateEvent } from "typeorm";

/** Entities that came from a replica, with their columns as they came. */
type Loaded = WeakMap<object, ReadonlyMap<string, unknown>>;

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
      beforeUpdate({ entity, updatedColumns, metadata }: UpdateEvent<object>) {
        const before = entity && loaded.get(entity);
        if (!before) return;
        const stale = updatedColumns.filter(
          (column) =>
            before.has(column.propertyPath) &&
            isDeepStrictEqual(before.get(column.propertyPath), column.getEntityValue(entity)),
        );
        if (stale.length === 0) return;
        throw new LockstepError(
          "STALE_ENTITY",
          `${metadata.name} was read from a replica: saving it would write ${stale.map((c) => c.propertyName).join(", ")} back as the replica had it`,
        );
      },
    },
  };
}

function copyOf(entity: object, { columns }: EntityMetadata): ReadonlyMap<string, unknown> {
  return new Map(
    columns.map((column) => {
      const value: unknown = column.getEntityValue(entity);
      return [column.propertyPath, cloned(value)];
    }),
  );
}

/** What an application's transformer made may not be cloneable: changed in place, it counts as unchanged, and saving it is refused. */
function cloned(value: unknown): unknown {
  try {
    return typeof value === "object" ? structuredClone(value) : value;
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
