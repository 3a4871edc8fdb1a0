import { createHash } from "node:crypto";
import { positionOf, tableId, type LoggedEvent, type RowImage, type TableSchema } from "@lockstep/core";
import type { ChangeJob, IdentifiedJob } from "@lockstep/stream";

/** Where positions come from. */
export interface JobOrigin {
  readonly source: string;
  readonly incarnation: string;
}

/**
 * Makes jobs of a source's events. A job's id says which source in which incarnation it comes from, and its position: another source
 * in the same queue, or an outbox made anew, counts the same positions again, and BullMQ drops a job whose id it still knows.
 */
export function jobMaker({ source, incarnation }: JobOrigin) {
  // A hash: BullMQ allows no ":" in an id, and names may hold one.
  const origin = createHash("sha256")
    .update(JSON.stringify([source, incarnation]))
    .digest("hex")
    .slice(0, 16);
  return (event: LoggedEvent, schema: TableSchema | undefined): IdentifiedJob => {
    const data = dataOf(source, event, schema);
    return { id: `${origin}-${data.position}`, data };
  };
}

function dataOf(source: string, event: LoggedEvent, schema: TableSchema | undefined): ChangeJob {
  const { op, key, image, before, tick, ordinal, table, transaction } = event;
  if (op === "barrier") throw new TypeError("a barrier is no job");
  const names = schema?.key ?? [];
  const keyOf = (text: string): Record<string, string> => {
    const cells = JSON.parse(text) as readonly string[];
    return Object.fromEntries(cells.map((cell, i) => [names[i] ?? `key${i + 1}`, cell]));
  };
  return {
    source,
    table: tableId(table),
    op,
    key: op === "truncate" ? {} : keyOf(key),
    ...(image === undefined ? {} : { row: rowOf(JSON.parse(image) as RowImage, schema) }),
    ...(before === undefined ? {} : { before: keyOf(before) }),
    position: positionOf(tick, ordinal),
    at: transaction.at,
  };
}

/** Cells by column name; what isn't known (unchanged TOAST, minimal row image) is left out. */
function rowOf(image: RowImage, schema: TableSchema | undefined): Record<string, string | null> {
  const row: Record<string, string | null> = {};
  for (const [i, cell] of image.entries()) {
    const name = schema?.columns[i]?.name;
    if (name !== undefined && cell !== 0) row[name] = cell;
  }
  return row;
}
