import { type CaptureFinding, type CaptureKind, LockstepError } from "@lockstep/core";
import {
  beginChangeOver,
  captureOf,
  finishChangeOver,
  installAtSource,
  outboxWriterOf,
  refuseUnseenWrites,
  removeAtSource,
} from "@lockstep/publisher/capture";
import { asScript } from "./as-script.js";
import type { OpenSource } from "./open-source.js";

/** What a command found, or did, at one source. */
export interface Report {
  readonly source: string;
  readonly capture: CaptureKind;
  /** What is wrong, or still is. */
  readonly findings: readonly CaptureFinding[];
  /** With `--sql`: what would have been run, as a script. */
  readonly statements?: readonly string[];
  /** What a person should do next. */
  readonly said?: readonly string[];
}

/** Installs, or prints what installing would run. The outbox is made when it is missing. */
export async function install(
  open: OpenSource,
  { sql = false }: { readonly sql?: boolean },
): Promise<Report> {
  const { run, tables } = open;
  requireTables(open, open.capture);
  const capture = captureOf(open.capture, open.source);
  const writer = outboxWriterOf(open.source);
  if (!sql) {
    await writer.ensure(run);
    return report(open, await installAtSource(capture, run, tables));
  }
  // What is to be done depends on what the outbox knows of the tables: it must be there to be asked.
  await writer.check(run);
  const { statements, findings } = await capture.plan(run, tables);
  // What the script mends is no finding; what is refused is not in it.
  const refused = findings.filter(({ problem }) => problem === "refused");
  return { ...report(open, refused), statements: asScript(open.source.engine, statements) };
}

/** What is wrong now. */
export async function status(open: OpenSource): Promise<Report> {
  requireTables(open, open.capture);
  await outboxWriterOf(open.source).check(open.run);
  const { findings } = await captureOf(open.capture, open.source).plan(open.run, open.tables);
  return report(open, findings);
}

/** Removes, or prints what removing would run. */
export async function remove(
  open: OpenSource,
  { sql = false, force = false }: { readonly sql?: boolean; readonly force?: boolean },
): Promise<Report> {
  const writer = outboxWriterOf(open.source);
  await writer.check(open.run);
  const capture = captureOf(open.capture, open.source);
  if (sql) {
    const { statements } = await capture.removal(open.run);
    return { ...report({ ...open, missing: [] }, []), statements: asScript(open.source.engine, statements) };
  }
  const kept = await writer.readCapture(open.run);
  if (!force && kept?.kind === open.capture && (await writer.hasTargets(open.run))) {
    throw new LockstepError(
      "CAPTURE_CHANGED",
      `targets follow ${open.name}, and without its capture writes would go past them: use switch, remove the targets, or say --force`,
    );
  }
  await removeAtSource(capture, open.run, open.tables);
  return { ...report({ ...open, missing: [] }, []), said: ["removed"] };
}

/** How a capture is changed. */
interface SwitchOptions {
  readonly to: CaptureKind;
  readonly finish?: boolean;
  /** How long targets are waited for, seconds. */
  readonly timeout: number;
  /** How long it is watched, before the end, whether all writes are seen, seconds. */
  readonly seconds: number;
  /** Not to watch. */
  readonly force?: boolean;
}

/** Changes the capture, in two steps. */
export async function switchTo(
  open: OpenSource,
  { to, finish = false, timeout, seconds, force = false }: SwitchOptions,
): Promise<Report> {
  requireTables(open, to);
  const writer = outboxWriterOf(open.source);
  await writer.check(open.run);
  const over = {
    run: open.run,
    tables: open.tables,
    writer,
    captureOf: (kind: CaptureKind) => captureOf(kind, open.source),
    timeoutMs: timeout * 1000,
  };
  const { from, kind } = (await writer.readCapture(open.run)) ?? {};
  // The others are the database's own, and see what anybody writes.
  if (finish && !force && to === "subscriber" && kind === to && from !== undefined) {
    await refuseUnseenWrites(open.source, over, from, seconds * 1000);
  }
  const kept = finish ? await finishChangeOver(over, to) : await beginChangeOver(over, to);
  const said =
    kept.from === undefined
      ? [`captured by "${to}" alone`]
      : [
          kept.stage === undefined
            ? `captured by "${to}"; what processes write that still run with "${kept.from}" is captured too`
            : `processes may start with "${to}" now; the log of "${kept.from}" is read until --finish`,
          `set capture: "${to}" in every process of the application and start them again; then: lockstep capture switch --to ${to} --finish`,
        ];
  return { ...report({ ...open, capture: to }, []), said };
}

/** @throws LockstepError CONFIG_INVALID when there is nothing to capture: all would be in place, and nothing captured. */
function requireTables({ name, tables }: OpenSource, capture: CaptureKind): void {
  if (tables.length > 0 || capture === "subscriber") return;
  throw new LockstepError(
    "CONFIG_INVALID",
    `no table of ${name} is named: give --data-source, or sources.${name}.captureTables`,
  );
}

function report({ name, capture, missing }: OpenSource, findings: readonly CaptureFinding[]): Report {
  const absent = missing.map((table) => ({
    table,
    problem: "refused" as const,
    message: `${table}: the table doesn't exist`,
  }));
  return { source: name, capture, findings: [...findings, ...absent] };
}
