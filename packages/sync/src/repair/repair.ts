import type { RowEmitter, TableSchema, Target } from "@lockstep/core";
import type { ComparedTable } from "../digest/compared-table.js";
import type { Pass } from "../passage.js";
import type { Compared, VerifyOptions } from "../verify/compared.js";
import type { DifferingRow, Mend } from "../verify/report-table.js";
import { reportTables } from "../verify/report-tables.js";
import type { VerifyReport } from "../verify/report.js";
import { settle } from "../verify/settle.js";

/** A source and the target that is to be set right. */
export interface Repaired extends Compared {
  readonly target: Compared["target"] & Pick<Target, "open">;
  readonly emitter: RowEmitter;
}

/**
 * Verifies, and sets right what differs: the source's rows are sent once more, as they are, through the stream and to this target alone, so that
 * order and dead letters hold as for any change; rows that the source doesn't have are deleted there the same way. Then those rows are compared
 * again: `mended.remaining` says how many differ all the same. Rows with a live letter are left to it.
 * @throws LockstepError RELAY_SILENT, TARGET_BEHIND, SOURCE_BUSY; whatever the databases throw.
 */
export async function repair(repaired: Repaired, options: VerifyOptions = {}): Promise<VerifyReport> {
  const { id } = await repaired.target.open();
  const { emitter } = repaired;
  return reportTables(repaired, options, (pass) => mendWith(emitter, [id], pass, options.signal));
}

/** What one transaction of the source holds locks for. */
const keysTogether = 250;

function mendWith(
  emitter: RowEmitter,
  audience: readonly string[],
  pass: Pass,
  signal: AbortSignal | undefined,
): Mend {
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
  return async (table: ComparedTable, schema, rows) => {
    const isExtra = ({ kind }: DifferingRow): boolean => kind === "extra";
    const present = await send(
      schema,
      rows.filter((row) => !isExtra(row)),
      "emit",
    );
    const extra = await send(schema, rows.filter(isExtra), "emitOrDelete");
    // Where the target had no such table, its rows are compared when it has been made.
    if (table.target === undefined) return { sent: present + extra, remaining: 0 };
    const after = await settle(
      table,
      rows.map(({ canonical }) => canonical),
      pass,
      signal,
    );
    return { sent: present + extra, remaining: after.differences.size };
  };
}
