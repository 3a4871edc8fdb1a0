import type { DataSource, EntityMetadata, EntityTarget, ObjectLiteral } from "typeorm";

/** An entity, and what TypeORM knows of its kind. */
export interface Saved {
  readonly entity: object;
  readonly metadata: EntityMetadata;
}

/** What `save`, `softRemove` and `recover` of an entity manager are given: `(entities, options?)`, or the entities' target before them. */
export function savedBy(
  dataSource: Pick<DataSource, "hasMetadata" | "getMetadata">,
  [first, second, third]: readonly unknown[],
): { readonly saved: readonly Saved[]; readonly options: Readonly<Record<string, unknown>> } {
  const isNamed = second !== undefined && isTarget(first);
  const [given, options] = isNamed ? [second, third] : [first, second];
  const found = new Map<object, Saved>();
  for (const entity of Array.isArray(given) ? given : [given]) {
    if (typeof entity !== "object" || entity === null) continue;
    const target = isNamed ? first : (entity as object).constructor;
    // What it doesn't know TypeORM itself refuses.
    if (!dataSource.hasMetadata(target as EntityTarget<ObjectLiteral>)) continue;
    add(found, entity as object, dataSource.getMetadata(target as EntityTarget<ObjectLiteral>));
  }
  return { saved: [...found.values()], options: (options ?? {}) as Readonly<Record<string, unknown>> };
}

function isTarget(first: unknown): boolean {
  const kind = (first as { readonly "@instanceof"?: unknown } | null)?.["@instanceof"];
  return typeof first === "function" || typeof first === "string" || kind === Symbol.for("EntitySchema");
}

/** With everything that its save cascades to. */
function add(found: Map<object, Saved>, entity: object, kind: EntityMetadata): void {
  if (found.has(entity)) return;
  const metadata = kind.findInheritanceMetadata(entity);
  found.set(entity, { entity, metadata });
  for (const [relation, value, of] of metadata.extractRelationValuesFromEntity(entity, metadata.relations)) {
    const cascades =
      relation.isCascadeInsert ||
      relation.isCascadeUpdate ||
      relation.isCascadeSoftRemove ||
      relation.isCascadeRecover;
    // A value that is no object is a key.
    if (cascades && typeof value === "object" && value !== null) add(found, value as object, of);
  }
}
