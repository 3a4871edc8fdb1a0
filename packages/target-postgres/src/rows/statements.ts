import type { PostgresTable, WrittenColumn } from "../tables/postgres-table.js";
import type { Answer, Command } from "../wire/pipeline.js";
import { matches, rowSource } from "./row-source.js";

/** Runs statements in the step's transaction, in one round trip. */
export type RunInStep = (commands: readonly Command[]) => Promise<readonly Answer[]>;

/** What writing rows needs of a step's transaction. */
export interface StepStatements {
  readonly run: RunInStep;
  /** Runs `work` behind a savepoint; rolls back to it when it throws, and throws on. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
}

/** Columns beside the key that an UPDATE may set. */
function settable(
  table: PostgresTable,
  columns: readonly WrittenColumn[] = table.columns,
): readonly WrittenColumn[] {
  return columns.filter((column) => !table.key.includes(column) && !column.catalog.identityAlways);
}

/** `insert into t (…)`, up to the rows. */
export function insertInto(table: PostgresTable, columns: readonly WrittenColumn[] = table.columns): string {
  const overriding = columns.some(({ catalog }) => catalog.identityAlways) ? " overriding system value" : "";
  return `insert into ${table.quoted} as t (${columns.map(({ quoted }) => quoted).join(", ")})${overriding}`;
}

/** `on conflict (key) do update …`: by the primary key and no other, so that another row is never written. */
export function onConflict(table: PostgresTable): string {
  const key = table.key.map(({ quoted }) => quoted).join(", ");
  const set = settable(table).map(({ quoted }) => `${quoted} = excluded.${quoted}`);
  return `on conflict (${key}) do ${set.length === 0 ? "nothing" : `update set ${set.join(", ")}`}`;
}

/** Updates the rows of a source that are there; `undefined` when there is nothing to set. */
export function updateFromSource(table: PostgresTable, columns = table.columns): string | undefined {
  const source = rowSource(columns);
  const set = settable(table, columns);
  if (set.length === 0) return undefined;
  const valueOf = (column: WrittenColumn): string => source.values[columns.indexOf(column)]!;
  const assignments = set.map((column) => `${column.quoted} = ${valueOf(column)}`);
  return `update ${table.quoted} t set ${assignments.join(", ")} from ${source.from} where ${matches(table.key, table.key.map(valueOf))}`;
}
