import type { LoggedEvent } from "@lockstep/core";
import { rowId, type Rows } from "../app/tables.js";

/** What events leave behind. */
export interface Replayed {
  readonly rows: Rows;
  /** Events that change nothing: of a row that is as they say already, of one that came and went in one transaction. Harmless, but no news. */
  readonly surplus: number;
}

/** Applies events to a copy of the rows from before, one by one, as a target that knows nothing else would. */
export function replay(before: Rows, events: readonly LoggedEvent[]): Replayed {
  const rows = new Map(before);
  let surplus = 0;
  for (const { table, key, before: previous, image } of events) {
    const id = rowId(table.name, JSON.parse(key) as string[]);
    const moved = previous !== undefined && rows.delete(rowId(table.name, JSON.parse(previous) as string[]));
    const now = image && JSON.stringify(JSON.parse(image));
    if (!moved && rows.get(id) === now) surplus++;
    if (now === undefined) rows.delete(id);
    else rows.set(id, now);
  }
  return { rows, surplus };
}

/** Where two states of the tables differ; a few of the places. */
export function difference(wanted: Rows, found: Rows): readonly string[] {
  const ids = new Set([...wanted.keys(), ...found.keys()]);
  return [...ids]
    .filter((id) => wanted.get(id) !== found.get(id))
    .map((id) => {
      const [is, replayed] = [wanted.get(id) ?? "no row", found.get(id) ?? "no row"];
      return `${id} is ${is}, by its events ${replayed}`;
    });
}
