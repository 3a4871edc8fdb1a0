import { type ChangeLog, type RowNote, tableId } from "@lockstep/core";
import { existingTables, runAtSource, tableName } from "@lockstep/publisher/capture";
import type { ChosenSource } from "./choose-sources.js";

/** Tables that are captured and exist: what the capture has described, and what the configuration names beside it. */
export async function capturedTables(
  { source, settings }: ChosenSource,
  log: Pick<ChangeLog, "schemas">,
): Promise<readonly RowNote["table"][]> {
  const described = (await log.schemas()).map(({ namespace, name }) => ({ namespace, name }));
  const names = [...described, ...settings.captureTables.map(tableName)];
  const found = await runAtSource(source, (run) => existingTables(source.engine, run, names));
  const tables = new Map(found.flatMap((table) => (table ? [[tableId(table), table] as const] : [])));
  return [...tables.values()];
}
