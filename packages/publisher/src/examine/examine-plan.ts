import { assertNever, type CaptureFinding, type Finding, isLockstepError, tableId } from "@lockstep/core";
import { unavailable as unavailableMysql } from "@lockstep/outbox/mysql";
import { unavailable as unavailablePostgres } from "@lockstep/outbox/postgres";
import { captureOf } from "../capture/capture-of.js";
import { outboxLog } from "../capture/outbox-log.js";
import { runAtSource } from "../capture/run-at-source.js";
import type { CaptureSource, SourceCapture } from "../capture/source-capture.js";
import { existingTables } from "../capture/subscriber/catalog/existing-tables.js";
import { tableName } from "../capture/watched-entities.js";
import type { Examined } from "./examine-source.js";

const check = "capture.plan";

/**
 * What `lockstep capture status` finds, in its words: of the tables that are named and of those that the outbox knows. Changes nothing.
 * @throws LockstepError SOURCE_UNAVAILABLE, OUTBOX_MISSING; CONFIG_INVALID when the engine hasn't got this capture.
 */
export async function examinePlan(examined: Examined): Promise<readonly Finding[]> {
  const { source, capture, isInstalledHere = false } = examined;
  const method = captureOf(capture, source);
  if (method.kind === "subscriber" || isInstalledHere) return [];
  try {
    const { tables, findings } = await planOf(method, examined);
    if (findings.length > 0) return findings.map(findingOf);
    const message = `what capture by ${capture} needs is in place, for ${tables} table(s)`;
    return [{ check, level: "ok", subject: "source", message }];
  } catch (error) {
    if (isLockstepError(error)) throw error;
    return [notSeen(error)];
  }
}

/** The plan for all tables that exist, and how many those are. */
async function planOf(
  method: SourceCapture,
  examined: Examined,
): Promise<{ readonly tables: number; readonly findings: readonly CaptureFinding[] }> {
  const { source, captureTables = [] } = examined;
  const { engine } = source;
  const known = await knownTables(source);
  const named = [...known, ...captureTables.map(tableName)];
  return (engine === "postgres" ? unavailablePostgres : unavailableMysql)(() =>
    runAtSource(source, async (run) => {
      const found = await existingTables(engine, run, named);
      const tables = new Map(found.flatMap((table) => (table ? [[tableId(table), table] as const] : [])));
      // A plan registers the schemas that it sees: who only looks takes that back.
      await run("BEGIN");
      const { findings } = await method.plan(run, [...tables.values()]);
      await run("ROLLBACK");
      const absent = missingOf(found.slice(known.length), captureTables);
      return { tables: tables.size, findings: [...findings, ...absent] };
    }),
  );
}

// A driver's message may hold values; its code doesn't.
function notSeen(error: unknown): Finding {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  return {
    check,
    level: "warning",
    subject: "source",
    message: `what capture needs could not be looked at (${code})`,
    advice: "Run it as a role that may see the tables and Lockstep's own.",
  };
}

async function knownTables(source: CaptureSource): Promise<readonly { namespace: string; name: string }[]> {
  const log = outboxLog(source);
  try {
    return await log.schemas();
  } finally {
    await log.close();
  }
}

function missingOf(found: readonly unknown[], captureTables: readonly string[]): CaptureFinding[] {
  const missing = captureTables.filter((_, i) => found[i] === undefined);
  return missing.map((table) => ({
    table,
    problem: "refused" as const,
    message: `${table}: the table doesn't exist`,
  }));
}

function findingOf(finding: CaptureFinding): Finding {
  const { table, problem, message } = finding;
  const about = { check, level: levelOf(finding), subject: table ?? "source", message };
  // What is refused says itself what to do.
  return problem === "refused" ? about : { ...about, advice: "lockstep capture install" };
}

function levelOf({ problem, isHarmless }: CaptureFinding): Finding["level"] {
  switch (problem) {
    case "missing":
    case "refused":
      return "error";
    case "drifted":
      // PostgreSQL's triggers read the catalog then, and lose nothing; those of MySQL don't know new columns.
      return isHarmless === true ? "warning" : "error";
    case "extra":
      return "warning";
    default:
      return assertNever(problem);
  }
}
