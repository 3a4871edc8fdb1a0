import {
  LockstepError,
  type Mapping,
  type RowMapping,
  type TableSchema,
  type TargetTable,
} from "@lockstep/core";
import type { TableRules } from "./guard/table-rule.js";

/** One of the target's tables that a source table's rows go to; without a mapping they go as they are. */
export interface Route {
  readonly table: TargetTable;
  readonly mapping?: RowMapping;
}

/** A source schema and where its rows go. */
export interface Known {
  readonly schema: TableSchema;
  readonly routes: readonly Route[];
  /** Source columns that no route shows as they are. */
  readonly hidden: ReadonlySet<string>;
}

/** A row, by its table (`namespace.name`) and JSON key. */
export interface RowName {
  readonly table: string;
  readonly key: string;
}

const nothing: ReadonlySet<string> = new Set();

/** What is known of a schema whose rows go there. */
export function knownOf(schema: TableSchema, routes: readonly Route[]): Known {
  return { schema, routes, hidden: hiddenColumns(schema, routes) };
}

function hiddenColumns({ columns }: TableSchema, routes: readonly Route[]): ReadonlySet<string> {
  if (routes.some(({ mapping }) => mapping === undefined)) return nothing;
  const shown = new Set<number>();
  for (const { mapping } of routes) {
    for (const column of mapping!.columns) if (column.from === "copy") shown.add(column.at);
  }
  return new Set(columns.flatMap(({ name }, i) => (shown.has(i) ? [] : [name])));
}

/** @throws LockstepError CONFIG_INVALID: one error for everything in the mapping that doesn't fit. */
export function refuseUnfit(schemas: readonly TableSchema[], mapping: Mapping | undefined): void {
  refuse(
    "mapping doesn't",
    schemas.flatMap((schema) => mapping?.problems(schema) ?? []),
  );
}

/** @throws LockstepError CONFIG_INVALID: one error for everything in the conflict policies that doesn't fit. */
export function refuseUnfitPolicies(schemas: readonly TableSchema[], rules: TableRules | undefined): void {
  refuse(
    "conflict policies don't",
    schemas.flatMap((schema) => rules?.problems(schema) ?? []),
  );
}

function refuse(what: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new LockstepError(
    "CONFIG_INVALID",
    `the target's ${what} fit the source:\n${problems.map((p) => `  - ${p}`).join("\n")}\n`,
    { details: { problems: problems.length } },
  );
}
