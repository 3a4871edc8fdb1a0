import type { ComparedTable } from "../digest/compared-table.js";
import { type Pass, passage } from "../passage.js";
import type { Compared, VerifyOptions } from "./compared.js";
import { type Comparison, comparisonsOf } from "./comparisons.js";
import type { Place } from "./progress.js";
import { letteredKeys } from "./letters.js";
import { namedRows } from "./named-rows.js";
import { type Pace, paceOf } from "./pace.js";
import { ProgressBook } from "./progress-book.js";
import { type Mend, reportTable, type TableRoom } from "./report-table.js";
import { reportOf, type TableReport, type VerifyReport } from "./report.js";
import { judgeRows, verifyHeld, verifyTable } from "./verify-table.js";

const defaults = {
  sliceRows: 10_000,
  sample: 1,
  maxReported: 100,
  passTimeoutMs: 60_000,
  tellEveryMs: 1_000,
  showsValues: false,
  hides: (_table: string, _column: string) => false,
  random: Math.random,
};

/** What sets rows right: first those that the source has, parents first; then those that it hasn't, children first. */
export interface Menders {
  readonly present: Mend;
  readonly extra: Mend;
}

/** What comparing any table takes. */
interface Room extends TableRoom {
  readonly settings: typeof defaults & VerifyOptions;
  readonly pass: Pass;
  readonly pace: Pace;
}

/** Compares all tables, and has what differs mended where `mender` makes something that does. */
export async function reportTables(
  compared: Compared,
  options: VerifyOptions,
  mender?: (pass: Pass) => Menders,
): Promise<VerifyReport> {
  const began = performance.now();
  const { source, target } = compared;
  const settings = { ...defaults, ...options };
  const reader = target.reader?.();
  const pass = passage({ source: source.name, log: source.log, target, timeoutMs: settings.passTimeoutMs });
  const menders = mender?.(pass);
  const letters = letteredKeys(target.letters, source.name, compared.mapping?.sealer);
  const { maxReported, showsValues, hides } = settings;
  const room: Room = {
    settings,
    pass,
    letters,
    maxReported,
    pace: paceOf(options.maxRowsPerSecond),
    showsValues,
    hides,
    ...(menders && { mend: menders.present }),
  };
  try {
    const comparisons = comparisonsOf(compared, reader ?? target.held!);
    const book = new ProgressBook(comparisons.length, settings);
    for (const comparison of comparisons) {
      if (book.isDone(comparison)) continue;
      await book.finish(comparison, await lookAt(comparison, room, book));
    }
    for (const comparison of menders === undefined ? [] : comparisons.toReversed()) {
      const report = book.reportOf(comparison);
      if (report !== undefined && report.extra > 0)
        await book.finish(comparison, await removed(comparison, report, { ...room, mend: menders!.extra }));
    }
    const about = { source: source.name, target: target.name, sample: settings.sample };
    return reportOf({ ...about, ms: Math.round(performance.now() - began) }, book.reports);
  } finally {
    await reader?.close();
  }
}

async function lookAt(
  comparison: Comparison,
  room: Room,
  book: ProgressBook,
): Promise<TableReport | undefined> {
  const { schema, open } = comparison;
  let table = await open();
  if (table === undefined) return undefined;
  if (table.target === undefined && (await table.source.count()) > 0) {
    // The lane may be about to make it: rows are missing only when it has passed what is committed now, and the table isn't there still.
    await room.pass(room.settings.signal);
    table = (await open()) ?? table;
  }
  const begun = book.current(comparison);
  const findings = findingsOf(table, room, begun?.place);
  if (findings === undefined) return undefined;
  const told = { ...room, reached: book.reached(comparison) };
  const report = await reportTable(table, schema, findings, told, begun?.report);
  if (table.target !== undefined || report.mended === undefined) return report;
  // Its first row has made the table in the target: all of it is compared again.
  await room.pass(room.settings.signal);
  const made = (await open())!;
  const { mend: _, ...looking } = room;
  const { missing, extra, differing } = await reportTable(made, schema, findingsOf(made, room)!, looking);
  return { ...report, mended: { ...report.mended, remaining: missing + extra + differing } };
}

/** Looks for the extra rows of a table once more, and has them deleted; adds to its report what became of them. */
async function removed({ schema, open }: Comparison, report: TableReport, room: Room): Promise<TableReport> {
  const table = await open();
  const findings = table && findingsOf(table, room);
  if (findings === undefined) return report;
  const { mended } = await reportTable(table!, schema, findings, room);
  const { sent, remaining } = report.mended!;
  return { ...report, mended: { sent: sent + mended!.sent, remaining: remaining + mended!.remaining } };
}

/** What is found in a table, or of the rows that a report names; `undefined` when it names none of this table. */
function findingsOf(table: ComparedTable, { settings, ...room }: Room, from?: Place) {
  const { only, signal, sample, random, sliceRows, tellEveryMs } = settings;
  const named = only === undefined ? "all" : namedRows(only, table);
  if (named.length === 0) return undefined;
  if (named !== "all") return judgeRows(table, named, { ...room, signal });
  if (table.held !== undefined) return verifyHeld(table, table.held(), { ...room, signal });
  const isChosen = (): boolean => sample >= 1 || random() < sample;
  return verifyTable(table, { ...room, sliceRows, tellEveryMs, isChosen, from, signal });
}
