import { type TableReader, tableId, type TableSchema } from "@lockstep/core";
import { compareTable } from "../digest/compared-table.js";
import { type Pass, passage } from "../passage.js";
import type { Compared, VerifyOptions } from "./compared.js";
import { type Mend, reportTable } from "./report-table.js";
import { letteredKeys } from "./letters.js";
import { paceOf } from "./pace.js";
import { reportOf, type TableReport, type VerifyReport } from "./report.js";

const defaults = {
  sliceRows: 10_000,
  sample: 1,
  maxReported: 100,
  passTimeoutMs: 60_000,
  random: Math.random,
};

/** Compares all tables, and has what differs mended where `mender` makes something that does. */
export async function reportTables(
  compared: Compared,
  options: VerifyOptions,
  mender?: (pass: Pass) => Mend,
): Promise<VerifyReport> {
  const began = performance.now();
  const { source, target } = compared;
  const settings = { ...defaults, ...options };
  const reader = target.reader!();
  const pass = passage({ source: source.name, log: source.log, target, timeoutMs: settings.passTimeoutMs });
  const room = {
    ...settings,
    pass,
    letters: letteredKeys(target.letters, source.name),
    pace: paceOf(options.maxRowsPerSecond),
    mend: mender?.(pass),
  };
  try {
    const tables: TableReport[] = [];
    for (const schema of source.tables) {
      const report = await lookAt(compared, reader, schema, room);
      if (report !== undefined) tables.push(report);
    }
    const about = { source: source.name, target: target.name, sample: settings.sample };
    return reportOf({ ...about, ms: Math.round(performance.now() - began) }, tables);
  } finally {
    await reader.close();
  }
}

async function lookAt(
  { source, mapping }: Compared,
  reader: TableReader,
  schema: TableSchema,
  room: Parameters<typeof reportTable>[2],
): Promise<TableReport | undefined> {
  const routes = mapping?.routes(schema);
  if (routes?.length === 0) return undefined;
  if (routes !== undefined && (routes.length > 1 || !routes[0]!.plain)) {
    return notCompared(schema, "its rows are filtered, computed or masked on their way");
  }
  const compare = () => compareTable({ source: source.reader, target: reader }, schema, routes?.[0]);
  const table = await compare();
  if (table === undefined) return undefined;
  const report = await reportTable(table, schema, room);
  if (table.target !== undefined || report.mended === undefined) return report;
  // Its first row has made the table in the target: all of it is compared again.
  await room.pass(room.signal);
  const { missing, extra, differing } = await reportTable((await compare())!, schema, {
    ...room,
    mend: undefined,
  });
  return { ...report, mended: { ...report.mended, remaining: missing + extra + differing } };
}

function notCompared(schema: TableSchema, why: string): TableReport {
  return {
    table: tableId(schema),
    rows: { source: 0, target: 0 },
    missing: 0,
    extra: 0,
    differing: 0,
    letters: 0,
    unsettled: 0,
    leftOut: [],
    differences: [],
    notCompared: why,
    ms: 0,
  };
}
