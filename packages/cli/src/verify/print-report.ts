import type { ReportedRow, TableReport, VerifyReport } from "@lockstep/sync";
import type { Terminal } from "../terminal.js";

/** Tells a person what was found of one target. */
export function printReport(report: VerifyReport, terminal: Terminal): void {
  const share = report.sample < 1 ? `, a sample of ${report.sample * 100} %` : "";
  terminal.out(`${report.source} → ${report.target}${share}`);
  for (const table of report.tables) printTable(table, terminal);
  const rows = report.tables.reduce((sum, table) => sum + table.rows.source, 0);
  const seconds = (report.ms / 1000).toFixed(1);
  terminal.out(
    `  ${rows} rows in ${seconds} s: ${report.different} differ, ${report.letters} have a dead letter`,
  );
}

function printTable(table: TableReport, terminal: Terminal): void {
  const { missing, extra, differing, unmapped, letters, unsettled, mended } = table;
  const counts = [
    `${table.rows.source} rows`,
    ...Object.entries({ missing, extra, differing })
      .filter(([, count]) => count > 0)
      .map(([kind, count]) => `${count} ${kind}`),
    ...(unmapped > 0 ? [`${unmapped} NOT KNOWN, as the mapping fails on them`] : []),
    ...(letters > 0 ? [`${letters} explained by dead letters`] : []),
    ...(unsettled > 0 ? [`${unsettled} written to all the time, so not known`] : []),
    ...(mended ? [`${mended.sent} sent once more, ${mended.remaining} still differ`] : []),
  ];
  const to = table.to === undefined ? "" : ` → ${table.to}`;
  terminal.out(`  ${table.table}${to}: ${counts.join(", ")}`);
  for (const { column, why } of table.leftOut) terminal.out(`    not compared: ${column}: ${why}`);
  for (const row of table.differences) terminal.out(`    ${lineOf(row)}`);
}

function lineOf({ kind, key, targetKey, columns, values, letter, about }: ReportedRow): string {
  const shown = columns?.map((name) => {
    const value = values?.[name];
    return value === undefined
      ? name
      : `${name} (${JSON.stringify(value.source)} → ${JSON.stringify(value.target)})`;
  });
  const name = key?.join(", ") ?? `(in the target) ${targetKey!.join(", ")}`;
  const what = shown?.join(", ") ?? about;
  return `${kind} ${name}${what === undefined ? "" : `: ${what}`}${letter ? " (dead letter)" : ""}`;
}
