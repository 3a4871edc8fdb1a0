import { isDeepStrictEqual } from "node:util";
import { LockstepError } from "@lockstep/core";
import type { EntityMetadata, InsertEvent, LoadEvent, UpdateEvent } from "typeorm";
import type { Saved } from "./saved-with.js";
import type { Watch } from "./watch.js";

type ColumnMetadata = EntityMetadata["columns"][number];

/** Entities that came from a replica, with their columns as they came, by path; less those that were saved since. */
type Loaded = WeakMap<object, Map<string, unknown>>;

/**
 * TypeORM compares what it saves with the primary's row: an entity that was read from a replica that was behind, and changed in one column, would write the others back
 * as they were. So entities that replicas load are remembered, and saving one that would write something which nobody changed is refused.
 */
export function loadedRows(): { readonly ofReplica: Watch; readonly ofPrimary: Watch } {
  const loaded: Loaded = new WeakMap();
  return {
    ofReplica: {
      subscriber: {
        afterLoad(entity: object, event?: LoadEvent<object>) {
          if (event?.metadata) loaded.set(entity, copyOf(entity, event.metadata));
        },
      },
    },
    ofPrimary: {
      saving({ saved, options }) {
        const ours = saved.filter(({ entity }) => loaded.has(entity));
        for (const one of ours) refuseLists(one);
        if (options["listeners"] === false && ours[0])
          throw stale(ours[0].metadata, "with listeners: false nothing tells what a save of it would write");
      },
      subscriber: {
        beforeInsert({ entity, metadata }: InsertEvent<object>) {
          const before = loaded.get(entity);
          if (before === undefined) return;
          // Under another key it is another row.
          if (metadata.primaryColumns.every((column) => isUnchanged(before, column, entity)))
            throw stale(metadata, "the primary doesn't have its row, and saving it would bring that back");
        },
        beforeUpdate({ entity, updatedColumns, updatedRelations, metadata }: UpdateEvent<object>) {
          const before = entity && loaded.get(entity);
          if (!before) return;
          // A relation is written by its columns.
          const written = [...updatedColumns, ...updatedRelations.flatMap(({ joinColumns }) => joinColumns)];
          const unchanged = written.filter((column) => isUnchanged(before, column, entity));
          if (unchanged.length > 0) throw wouldWriteBack(metadata, unchanged);
          // From now on they are the application's, also where it sets them back.
          for (const column of written) before.delete(column.propertyPath);
        },
      },
    },
  };
}

/**
 * TypeORM takes out what isn't in the list of an entity that is saved, and adds what only is there. What of a list the replica had, and what the application did to it, can't
 * be told apart, and what the primary has may change until TypeORM asks: no such list is written.
 */
function refuseLists({ entity, metadata }: Saved): void {
  const lists = metadata.relations.filter(
    (relation) =>
      (relation.isOneToMany || relation.isManyToMany || relation.isOneToOneNotOwner) &&
      // Disabled, TypeORM leaves it alone.
      (relation as { readonly persistenceEnabled?: boolean }).persistenceEnabled !== false &&
      relation.getEntityValue(entity) !== undefined,
  );
  if (lists.length === 0) return;
  const names = lists.map(({ propertyPath }) => propertyPath).join(", ");
  throw stale(
    metadata,
    `saving it would make ${names} what the replica had; leave that out of what you save`,
  );
}

function wouldWriteBack(metadata: EntityMetadata, columns: readonly ColumnMetadata[]): LockstepError {
  const names = columns.map(({ propertyName }) => propertyName).join(", ");
  return stale(metadata, `saving it would write ${names} back as the replica had it`);
}

function stale({ name }: EntityMetadata, why: string): LockstepError {
  return new LockstepError("STALE_ENTITY", `${name} was read from a replica: ${why}`);
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
