import { type CaptureFinding, type ChangeLog, type RowNote, tableId } from "@lockstep/core";
import { runAtSource } from "./run-at-source.js";
import type { CaptureSource, SourceCapture } from "./source-capture.js";
import { existingTables } from "./subscriber/catalog/existing-tables.js";

/** A log that also says whether the capture that fills it is still whole. */
export function watchedLog(log: ChangeLog, source: CaptureSource, plan: SourceCapture["plan"]): ChangeLog {
  /** Tables that weren't captured when this began, as far as is known on purpose: left out since, or of another capture before. */
  let others: ReadonlySet<string> | undefined;
  return {
    ...log,
    async captureFindings() {
      const named = await knownTables(log);
      const { findings } = await runAtSource(source, async (run) => {
        // A table that is gone is no loss of its changes.
        const found = await existingTables(source.engine, run, named);
        return plan(
          run,
          found.filter((table) => table !== undefined),
        );
      });
      const lacking = findings.filter(isLacking);
      others ??= idsOf(lacking.filter(({ problem, isBare }) => isBare === true || problem === "refused"));
      // What is whole again is watched from now on.
      const still = idsOf(lacking);
      others = new Set([...others].filter((id) => still.has(id)));
      return lacking.filter(({ table }) => table === undefined || !others!.has(table));
    },
  };
}

function isLacking({ problem, isHarmless }: CaptureFinding): boolean {
  return problem !== "extra" && isHarmless !== true;
}

function idsOf(findings: readonly CaptureFinding[]): Set<string> {
  return new Set(findings.flatMap(({ table }) => table ?? []));
}

/** Every table that the source has described, once. */
async function knownTables(log: ChangeLog): Promise<RowNote["table"][]> {
  const tables = (await log.schemas()).map(({ namespace, name }) => ({ namespace, name }));
  return [...new Map(tables.map((table) => [tableId(table), table])).values()];
}
