import type { ComparedTable } from "../digest/compared-table.js";
import type { DifferenceKind } from "./difference.js";
import type { ReportedRow, TableReport } from "./report.js";
import type { Finding } from "./verify-table.js";

/** A table's report as it grows. */
export interface Counter {
  readonly report: TableReport;
  /** Rows that it names. */
  readonly named: number;
  row(kind: DifferenceKind, isLettered: boolean, named: ReportedRow | undefined): void;
  found(finding: Pick<Finding, "sourceRows" | "targetRows" | "unsettled">): void;
  mended(result: { readonly sent: number; readonly remaining: number }): void;
}

const none = { missing: 0, extra: 0, differing: 0, unmapped: 0, letters: 0, unsettled: 0 };

/** Begins a report, or goes on with one. */
export function counterOf(
  { id, to, leftOut }: Pick<ComparedTable, "id" | "to" | "leftOut">,
  mends: boolean,
  before?: TableReport,
): Counter {
  const began = performance.now() - (before?.ms ?? 0);
  const differences = [...(before?.differences ?? [])];
  let report: TableReport = {
    table: id,
    ...(to !== undefined && { to }),
    rows: { source: 0, target: 0 },
    ...none,
    differences: [],
    ...(mends && { mended: { sent: 0, remaining: 0 } }),
    ms: 0,
    ...before,
    leftOut,
  };
  return {
    get report() {
      return { ...report, differences: [...differences], ms: Math.round(performance.now() - began) };
    },
    get named() {
      return differences.length;
    },
    row(kind, isLettered, named) {
      const what = isLettered ? "letters" : kind;
      if (named !== undefined) differences.push(named);
      report = { ...report, [what]: report[what] + 1 };
    },
    found({ sourceRows, targetRows, unsettled }) {
      const { source, target } = report.rows;
      const rows = { source: source + sourceRows, target: target + targetRows };
      report = { ...report, rows, unsettled: report.unsettled + unsettled };
    },
    mended({ sent, remaining }) {
      const { mended = { sent: 0, remaining: 0 } } = report;
      report = { ...report, mended: { sent: mended.sent + sent, remaining: mended.remaining + remaining } };
    },
  };
}
