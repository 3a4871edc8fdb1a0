import { type Engine, LockstepError } from "@lockstep/core";
import type { DataSource, EntityMetadata, EntityTarget, ObjectLiteral } from "typeorm";
import type { MappedTable } from "./captured-tables.js";

/** An entity by class, EntitySchema or name; or a table by its name. */
export type EntityChoice = EntityTarget<ObjectLiteral> | string;

/** Which entities are captured. */
export interface EntityChoices {
  /** Default: all. Their many-to-many and closure tables are included. */
  readonly entities?: readonly EntityChoice[];
  /** Left out, of those. */
  readonly exclude?: readonly EntityChoice[];
}

/** The tables behind the chosen entities. Single-table children share their root's table; views have none. @throws LockstepError ENTITY_UNKNOWN naming all that are unknown. */
export function mappedTables(dataSource: DataSource, engine: Engine, choices: EntityChoices): MappedTable[] {
  const chosen = choices.entities && pathsOf(dataSource, choices.entities);
  const left = pathsOf(dataSource, choices.exclude ?? []);
  const tables = new Map<string, MappedTable>();
  for (const metadata of dataSource.entityMetadatas) {
    if (metadata.tableType === "view" || left.has(metadata.tablePath)) continue;
    if (chosen && !belongs(metadata, chosen)) continue;
    const namespace = engine === "postgres" ? metadata.schema : metadata.database;
    const { tablePath: path, tableName: name } = metadata;
    tables.set(path, { path, name, ...(namespace !== undefined && { namespace }) });
  }
  return [...tables.values()];
}

/** A join table belongs to the entity that owns the relation, a closure table to its tree. */
function belongs(metadata: EntityMetadata, chosen: ReadonlySet<string>): boolean {
  if (chosen.has(metadata.tablePath)) return true;
  const owner = metadata.parentClosureEntityMetadata as EntityMetadata | undefined;
  if (owner && chosen.has(owner.tablePath)) return true;
  return metadata.tableType === "junction" && joinOwners(metadata).some((path) => chosen.has(path));
}

function joinOwners(junction: EntityMetadata): string[] {
  const [owner] = junction.foreignKeys;
  return owner ? [owner.referencedEntityMetadata.tablePath] : [];
}

function pathsOf(dataSource: DataSource, choices: readonly EntityChoice[]): ReadonlySet<string> {
  const unknown: string[] = [];
  const paths = choices.flatMap((choice) => {
    const metadata = find(dataSource, choice);
    if (metadata) return [metadata.tablePath];
    unknown.push(nameOf(choice));
    return [];
  });
  if (unknown.length > 0) throw new LockstepError("ENTITY_UNKNOWN", `unknown: ${unknown.join(", ")}`);
  return new Set(paths);
}

function find(dataSource: DataSource, choice: EntityChoice): EntityMetadata | undefined {
  const metadatas = dataSource.entityMetadatas;
  if (typeof choice !== "string") {
    return dataSource.hasMetadata(choice) ? dataSource.getMetadata(choice) : undefined;
  }
  return (
    metadatas.find(({ name }) => name === choice) ??
    metadatas.find(({ tablePath, tableName }) => tablePath === choice || tableName === choice)
  );
}

function nameOf(choice: EntityChoice): string {
  if (typeof choice === "string") return choice;
  if (typeof choice === "function") return choice.name;
  if ("options" in choice) return String((choice.options as { name?: string }).name);
  return String((choice as { name?: string }).name);
}
