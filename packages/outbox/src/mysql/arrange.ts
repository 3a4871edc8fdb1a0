import type { EventRow } from "../event-row.js";

/** A transaction too large to keep while others go by: its rows are read again, by these ids, when its turn comes. */
interface SetAside {
  readonly tx: string;
  readonly from: string;
  readonly to: string;
}

/** What comes next in the tick's order: a transaction's rows, or where to read them. */
export type Arranged = readonly EventRow[] | SetAside;

/** Column of an outbox row that says whether it is its transaction's last (see `read.ts`). */
const endsTxColumn = 13;

/**
 * Puts the rows of a tick, which come by id, into the order of transactions by their last id (PROTOCOL.md 9): a transaction is
 * complete, and its turn has come, when its last row comes by. Rows of transactions under way are kept, up to `maxKept` rows.
 */
export function arrangement(maxKept: number): {
  add(row: EventRow): Arranged | undefined;
  readonly open: number;
} {
  const open = new Map<string, EventRow[] | { from: string }>();
  let kept = 0;
  const setLargestAside = (): void => {
    const [tx, rows] = [...open].reduce((a, b) => (sizeOf(b[1]) > sizeOf(a[1]) ? b : a));
    if (!Array.isArray(rows)) return;
    kept -= rows.length;
    open.set(tx, { from: rows[0]![1]! });
  };
  return {
    get open() {
      return open.size;
    },
    add(row) {
      const tx = row[0]!;
      const ends = row[endsTxColumn] === "1";
      const rows = open.get(tx);
      if (rows === undefined && ends) return [row];
      if (rows !== undefined && !Array.isArray(rows)) {
        if (!ends) return undefined;
        open.delete(tx);
        return { tx, from: rows.from, to: row[1]! };
      }
      if (rows) rows.push(row);
      else open.set(tx, [row]);
      kept++;
      if (ends) {
        open.delete(tx);
        kept -= rows!.length;
        return rows!;
      }
      if (kept > maxKept) setLargestAside();
      return undefined;
    },
  };
}

function sizeOf(rows: EventRow[] | { from: string }): number {
  return Array.isArray(rows) ? rows.length : 0;
}
