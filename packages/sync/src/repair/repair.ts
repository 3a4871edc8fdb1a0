import { type RowEmitter, tableId, type TableSchema, type Target } from "@lockstep/core";
import { dialects } from "../digest/catalog.js";
import { parentsFirst } from "../full/parents-first.js";
import type { Pass } from "../passage.js";
import type { Compared, VerifyOptions } from "../verify/compared.js";
import type { DifferingRow, Mend } from "../verify/report-table.js";
import { type Menders, reportTables } from "../verify/report-tables.js";
import type { VerifyReport } from "../verify/report.js";
import { settle } from "../verify/settle.js";

type Emitting = Pick<RowEmitter, "emit" | "emitOrDelete">;

/** A source and the target that is to be set right. */
export interface Repaired extends Compared {
  readonly target: Compared["target"] & Pick<Target, "open">;
  readonly emitter: Emitting;
}

/**
 * Verifies, and sets right what differs: the source's rows are sent once more, as they are, through the stream and to this target alone, so that
 * order and dead letters hold as for any change; at last rows that the source doesn't have are deleted there the same way. Each time those rows are compared
 * again: `mended.remaining` says how many differ all the same. Rows with a live letter are left to it.
 * @throws LockstepError RELAY_SILENT, TARGET_BEHIND, SOURCE_BUSY; whatever the databases throw.
 */
export async function repair(repaired: Repaired, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { id } = await repaired.target.open();
  const { emitter, source } = repaired;
  const ordered = { ...repaired, source: { ...source, tables: await inKeyOrder(source) } };
  return reportTables(ordered, options, (pass) => mendWith(emitter, [id], pass, options.signal));
}

/** Parents first, so that a row which is sent finds its parent. */
async function inKeyOrder({ reader, tables }: Compared["source"]): Promise<readonly TableSchema[]> {
  const linked: { readonly schema: TableSchema; readonly parents: readonly string[] }[] = [];
  for (const schema of tables) {
    const rows = await reader.rows(dialects[reader.engine].parentsQuery(schema.namespace, schema.name));
    linked.push({ schema, parents: rows.map(([parent]) => parent!) });
  }
  return parentsFirst(linked, ({ schema }) => tableId(schema)).map(({ schema }) => schema);
}

/** What one transaction of the source holds locks for. */
const keysTogether = 250;

function mendWith(
  emitter: Emitting,
  audience: readonly string[],
  pass: Pass,
  signal: AbortSignal | undefined,
): Menders {
  const send = async (
    schema: TableSchema,
    rows: readonly DifferingRow[],
    way: "emit" | "emitOrDelete",
  ): Promise<number> => {
    let sent = 0;
    for (let i = 0; i < rows.length; i += keysTogether) {
      signal?.throwIfAborted();
      const keys = rows.slice(i, i + keysTogether).flatMap(({ key }) => (key === undefined ? [] : [key]));
      if (keys.length > 0) sent += await emitter[way](schema, keys, audience);
    }
    return sent;
  };
  const mend =
    (way: "emit" | "emitOrDelete", isMine: (row: DifferingRow) => boolean): Mend =>
    async (table, schema, rows) => {
      const mine = rows.filter(isMine);
      const sent = await send(schema, mine, way);
      // Where the target had no such table, its rows are compared when it has been made.
      if (table.target === undefined || mine.length === 0) return { sent, remaining: 0 };
      const keys = mine.map(({ canonical }) => canonical);
      const after = await settle(table, keys, pass, signal);
      return { sent, remaining: after.differences.size };
    };
  const isExtra = ({ kind }: DifferingRow): boolean => kind === "extra";
  return { present: mend("emit", (row) => !isExtra(row)), extra: mend("emitOrDelete", isExtra) };
}
