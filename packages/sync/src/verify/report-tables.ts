import type { TableReader, TableSchema } from "@lockstep/core";
import { type ComparedTable, compareTable } from "../digest/compared-table.js";
import { compareMapped } from "../mapped/compare-mapped.js";
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
    letters: letteredKeys(target.letters, source.name, compared.mapping?.sealer),
    pace: paceOf(options.maxRowsPerSecond),
    mend: mender?.(pass),
  };
  try {
    const tables: TableReport[] = [];
    for (const schema of source.tables) {
      for (const compare of comparisons(compared, reader, schema)) {
        const report = await lookAt(compare, schema, room);
        if (report !== undefined) tables.push(report);
      }
    }
    const about = { source: source.name, target: target.name, sample: settings.sample };
    return reportOf({ ...about, ms: Math.round(performance.now() - began) }, tables);
  } finally {
    await reader.close();
  }
}

type Compare = () => Promise<ComparedTable | undefined>;

/** How a table is compared with each of those that its rows go into. */
function comparisons(
  { source, mapping }: Compared,
  reader: TableReader,
  schema: TableSchema,
): readonly Compare[] {
  const sides = { source: source.reader, target: reader };
  const routes = mapping?.routes(schema);
  if (routes === undefined) return [() => compareTable(sides, schema)];
  return routes.map(
    (route) => () => (route.plain ? compareTable(sides, schema, route) : compareMapped(sides, route)),
  );
}

async function lookAt(
  compare: Compare,
  schema: TableSchema,
  room: Parameters<typeof reportTable>[2],
): Promise<TableReport | undefined> {
  let table = await compare();
  if (table === undefined) return undefined;
  if (table.target === undefined && (await table.source.count()) > 0) {
    // The lane may be about to make it: rows are missing only when it has passed what is committed now, and the table isn't there still.
    await room.pass(room.signal);
    table = (await compare()) ?? table;
  }
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
