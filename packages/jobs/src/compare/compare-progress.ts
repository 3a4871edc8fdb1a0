import type { ReportedRow, TableReport, VerifyReport } from "@lockstep/sync";
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
}

/** Rows that all reports of a job name together: keys are small, but a record must be. */
export const keptRows = 100;

/** The progress with a report behind the others: as many rows as fit are named, and no values of any row are kept. Pure. */
export function withReport(progress: CompareProgress, report: VerifyReport): CompareProgress {
  let room = keptRows - progress.reports.flatMap(({ tables }) => tables.flatMap((t) => t.differences)).length;
  const kept = (table: TableReport): TableReport => {
    const differences = table.differences.slice(0, Math.max(0, room)).map(withoutValues);
    room -= differences.length;
    return { ...table, differences };
  };
  return { ...progress, reports: [...progress.reports, { ...report, tables: report.tables.map(kept) }] };
}

function withoutValues(row: ReportedRow): ReportedRow {
  const { values: _, ...kept } = row;
  return kept;
}

/** Adds up. Pure. */
export function compareSums({ rows = 0, table, reports = [] }: Partial<CompareProgress>): JobSums {
  return {
    rows,
    differentRows: reports.reduce((sum, { different }) => sum + different, 0),
    ...(table !== undefined && { table }),
  };
}
