import {
  positionOf,
  tableId,
  type LoggedEvent,
  type Position,
  type RowImage,
  type TableSchema,
} from "@lockstep/core";

/** A change as a job. All values are the database's texts. */
export interface QueueJob {
  readonly table: string;
  readonly op: "insert" | "update" | "delete" | "snapshot" | "truncate";
  readonly key: Readonly<Record<string, string>>;
  readonly row?: Readonly<Record<string, string | null>>;
  readonly before?: Readonly<Record<string, string>>;
  readonly position: Position;
  readonly at: number;
}

/** The job of an event. Pure. */
export function jobOf(event: LoggedEvent, schema: TableSchema | undefined): QueueJob {
  const { op, key, image, before, tick, ordinal, table, transaction } = event;
  if (op === "barrier") throw new TypeError("a barrier is no job");
  const names = schema?.key ?? [];
  const keyOf = (text: string): Record<string, string> => {
    const cells = JSON.parse(text) as readonly string[];
    return Object.fromEntries(cells.map((cell, i) => [names[i] ?? `key${i + 1}`, cell]));
  };
  return {
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
