import type { RowNote, SnapshotTable } from "@lockstep/core";
import type { OpenSync } from "../open-sync.js";

/** Checks the source and these tables, and looks how far each goes. */
export function surveyOf(
  { atSource, writer, snapshots }: OpenSync,
  tables: readonly RowNote["table"][],
  where?: string,
): Promise<readonly SnapshotTable[]> {
  return atSource(async (run) => {
    await writer.check(run);
    await writer.describe(run, tables);
    const surveyed = [];
    for (const table of tables) surveyed.push(await snapshots.survey(run, table, where));
    return surveyed;
  });
}
