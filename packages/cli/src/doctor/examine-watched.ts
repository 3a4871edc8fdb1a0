import type { LockstepConfig } from "@lockstep/config";
import { type Finding, isLockstepError, LockstepError, type RowNote } from "@lockstep/core";
import { type OpenSync, watchedTables, withSync } from "@lockstep/jobs";
import { judgeTable } from "@lockstep/sync";

const check = "incremental.tables";

/** Whether changes of the tables that an incremental sync reads can be found, and all of them. Changes nothing. */
export async function examineWatched(config: LockstepConfig, source: string): Promise<readonly Finding[]> {
  if (Object.keys(config.sources[source]!.incremental).length === 0) return [];
  return withSync(config, source, async (open) => {
    try {
      const findings: Finding[] = [];
      for (const [name, table] of await watchedTables(open.chosen))
        findings.push(...(await examine(open, name, table)));
      return findings;
    } catch (error) {
      return [refused("source", error)];
    }
  });
}

async function examine(
  { chosen, rows }: OpenSync,
  name: string,
  table: RowNote["table"] | undefined,
): Promise<readonly Finding[]> {
  const { overlapMs = 0, ...settings } = chosen.settings.incremental[name]!;
  try {
    const surveyed = table && (await rows.survey(table));
    if (surveyed === undefined)
      throw new LockstepError("ENTITY_UNKNOWN", "the source has no such table that its role may see");
    const { column } = settings;
    const watched = { schema: surveyed.schema, column, kind: judgeTable(surveyed, settings), overlapMs };
    const findings: Finding[] = [];
    if (await rows.hasUnmarked(watched)) {
      const message = `rows have no value in ${column}: they are never found`;
      findings.push({ check, level: "error", subject: name, message, advice: "Give them one." });
    }
    if ((await rows.ended(await rows.mark(watched))) === "unseen") findings.push(unseen(name));
    const fine: Finding = { check, level: "ok", subject: name, message: `changes are found by ${column}` };
    return findings.length > 0 ? findings : [fine];
  } catch (error) {
    return [refused(name, error)];
  }
}

function unseen(subject: string): Finding {
  return {
    check: "incremental.transactions",
    level: "warning",
    subject,
    message:
      "the role may not see transactions: what one writes that takes longer than the overlap is missed",
    advice: "GRANT PROCESS ON *.* to the role, or set overlapMs above the longest transaction.",
  };
}

// A driver's message may hold values.
function refused(subject: string, error: unknown): Finding {
  if (!isLockstepError(error)) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    const message = `could not be looked at (${code})`;
    return { check, level: "error", subject, message, advice: "Let the role read the table." };
  }
  return { check, level: "error", subject, message: error.message.split(" [")[0]!, advice: error.hint };
}
