import { type ChangeLog, type RowNote, tableId } from "@lockstep/core";
import { existingTables, runAtSource, tableName } from "@lockstep/publisher/capture";
import type { ChosenSource } from "./choose-sources.js";

type Table = RowNote["table"];
type Chosen = Pick<ChosenSource, "rows" | "settings">;

/**
 * Tables that are captured and exist: what the capture has described, and what the configuration names beside it. Those that an incremental sync reads are not: what
 * the outbox knows of them is the sync's.
 */
export async function capturedTables(
  chosen: Chosen,
  log: Pick<ChangeLog, "schemas">,
): Promise<readonly Table[]> {
  const described = (await log.schemas()).map(({ namespace, name }) => ({ namespace, name }));
  const names = [...described, ...chosen.settings.captureTables.map(tableName)];
  const watched = new Set(
    [...(await watchedTables(chosen)).values()].flatMap((table) => (table ? [tableId(table)] : [])),
  );
  const found = await tablesAt(chosen, names);
  const tables = new Map(found.flatMap((table) => (table ? [[tableId(table), table] as const] : [])));
  return [...tables.values()].filter((table) => !watched.has(tableId(table)));
}

/** Tables of the source, by these names; `undefined`: there is no such table. Default: those that the configuration names for an incremental sync. */
export async function watchedTables(
  chosen: Chosen,
  names: readonly string[] = Object.keys(chosen.settings.incremental),
): Promise<ReadonlyMap<string, Table | undefined>> {
  if (names.length === 0) return new Map();
  const found = await tablesAt(chosen, names.map(tableName));
  return new Map(names.map((name, i) => [name, found[i]] as const));
}

function tablesAt(
  { rows }: Chosen,
  names: Parameters<typeof existingTables>[2],
): Promise<(Table | undefined)[]> {
  return runAtSource(rows, (run) => existingTables(rows.engine, run, names));
}
