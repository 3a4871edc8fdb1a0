import type { ReportedRow, TableReport, VerifyProgress, VerifyReport } from "@lockstep/sync";
import type { JobSums } from "../kind/job-kind.js";

/** How far a verify or a repair is; kept with its job. */
export interface CompareProgress {
  /** Rows of the source that were read. */
  readonly rows: number;
  /** The target and the table under way. */
  readonly target?: string;
  readonly table?: string;
  /** Of targets that are done. */
  readonly reports: readonly VerifyReport[];
  /** How far the target under way is: whoever claims the job next goes on from there. */
  readonly underway?: VerifyProgress;
}

/** Rows that all reports of a job name together: keys are small, but a record must be. */
export const keptRows = 100;

/** The progress with a report behind the others: as many rows as fit are named, and no values of any row are kept. Pure. */
export function withReport(progress: CompareProgress, report: VerifyReport): CompareProgress {
  const { underway: _, ...rest } = progress;
  const reports = [...progress.reports, { ...report, tables: keptOf(progress, report.tables) }];
  return { ...rest, rows: rowsOf(reports), reports };
}

/** The progress of a target under way, bounded alike. Pure. */
export function withUnderway(
  progress: CompareProgress,
  target: string,
  { done, current, comparisons }: VerifyProgress,
): CompareProgress {
  const tables = [...done.map(({ report }) => report), ...(current ? [current.report] : [])];
  const kept = keptOf(progress, tables);
  const underway = {
    comparisons,
    done: done.map((one, i) => ({ ...one, report: kept[i]! })),
    ...(current && { current: { ...current, report: kept.at(-1)! } }),
  };
  const table = tables.at(-1)?.table;
  const rows = rowsOf(progress.reports) + rowsOf([{ tables }]);
  return { ...progress, rows, target, ...(table !== undefined && { table }), underway };
}

function keptOf({ reports }: CompareProgress, tables: readonly TableReport[]): readonly TableReport[] {
  let room = keptRows - reports.flatMap((report) => report.tables.flatMap((t) => t.differences)).length;
  return tables.map((table) => {
    const differences = table.differences.slice(0, Math.max(0, room)).map(withoutValues);
    room -= differences.length;
    return { ...table, differences };
  });
}

function rowsOf(reports: readonly Pick<VerifyReport, "tables">[]): number {
  return reports.flatMap(({ tables }) => tables).reduce((sum, { rows }) => sum + rows.source, 0);
}

function withoutValues(row: ReportedRow): ReportedRow {
  const { values: _, ...named } = row;
  return named;
}

/** Adds up. Pure. */
export function compareSums({ rows = 0, table, reports = [] }: Partial<CompareProgress>): JobSums {
  return {
    rows,
    differentRows: reports.reduce((sum, { different }) => sum + different, 0),
    ...(table !== undefined && { table }),
  };
}
