import type { KeyPage } from "@lockstep/core";
import { heldTables } from "../full/held-tables.js";
import type { SyncedTarget } from "../full/run-full-sync.js";
import type { WatchedProgress } from "./incremental-job.js";
import { at, type Cursor, type Ended, keepAtLast, movedTo } from "./room.js";
import { waitFor, waitForRoom } from "./wait.js";

type Key = readonly string[];

const keysPerPage = 5_000;
/** How long transactions are waited for that may be about to put a row back. */
const reappearMs = 5_000;
const lookMs = 50;

/**
 * Removes rows from the targets that the source doesn't have. The source is not locked, so absence is looked for twice, with all transactions of the first look over
 * before the second (PROTOCOL.md 21): a row that somebody was just putting back is not taken for gone. One that is put back later has a change value of
 * its own, and comes behind the delete. `undefined` when all targets are looked through.
 */
export async function removeGone(cursor: Cursor): Promise<Ended | undefined> {
  const { work } = cursor;
  if (at(cursor).comparing === undefined) {
    const started = await keepAtLast(work, movedTo(cursor, firstOf(cursor, at(cursor))));
    if (started !== undefined) return started;
  }
  while (at(cursor).comparing !== undefined) {
    const ended = (await waitForRoom(work)) ?? (await comparePage(cursor));
    if (ended !== undefined) return ended;
    work.told();
  }
  return undefined;
}

function firstOf({ work }: Cursor, table: WatchedProgress): WatchedProgress {
  const [first] = work.options.targets;
  return first === undefined ? table : { ...table, comparing: { target: first.id, route: 0 } };
}

async function comparePage(cursor: Cursor): Promise<Ended | undefined> {
  const { work, watched } = cursor;
  const table = at(cursor);
  const { target: id, route, after } = table.comparing!;
  const place = work.options.targets.findIndex((target) => target.id === id);
  const mirrored = work.targets[place];
  const held = mirrored === undefined ? [] : heldTables(watched.schema, mirrored);
  const { keys, next } = await keysOf(mirrored, held[route], after);
  const gone = await reallyAbsent(
    cursor,
    keys.flatMap((key) => held[route]!.sourceKey(key)),
  );
  if (typeof gone === "string") return gone;
  const moved = behindPage(cursor, { ...table, removed: table.removed + gone.length }, next, held.length);
  const rows = gone.map((key) => ({ key: JSON.stringify(key), image: null }));
  const kept = await keepAtLast(work, movedTo(cursor, moved), (run) =>
    work.images.append(run, watched.schema, rows, { audience: [id] }),
  );
  if (kept !== undefined) return kept;
  work.flow.sent(rows.length);
  cursor.sent.forget(rows);
  return undefined;
}

async function keysOf(
  mirrored: SyncedTarget | undefined,
  held: ReturnType<typeof heldTables>[number] | undefined,
  after: Key | undefined,
): Promise<KeyPage> {
  if (mirrored === undefined || held === undefined) return { keys: [] };
  const page = { limit: keysPerPage, ...(after !== undefined && { after }) };
  return (await mirrored.target.keys?.(held.schema, page)) ?? { keys: [] };
}

async function reallyAbsent(
  { work, watched }: Cursor,
  keys: readonly Key[],
): Promise<readonly Key[] | Ended> {
  const seen = await work.rows.absent(watched, keys);
  if (seen.length === 0) return seen;
  const mark = await work.rows.mark(watched);
  const until = work.now() + reappearMs;
  for (;;) {
    const state = await work.rows.ended(mark);
    const isOver = work.now() >= until;
    if (state === "ended" || (state === "unseen" && isOver)) return work.rows.absent(watched, seen);
    // Somebody's transaction takes long: they are looked at again the next time.
    if (isOver) return [];
    const ended = await waitFor(work, lookMs);
    if (ended !== undefined) return ended;
  }
}

/** Where to go on: behind the page, at the next table that it is mapped into, at the next target, or nowhere. */
function behindPage(
  { work }: Cursor,
  table: WatchedProgress,
  next: Key | undefined,
  routes: number,
): WatchedProgress {
  const { target, route } = table.comparing!;
  if (next !== undefined) return { ...table, comparing: { target, route, after: next } };
  if (route + 1 < routes) return { ...table, comparing: { target, route: route + 1 } };
  const place = work.options.targets.findIndex(({ id }) => id === target);
  const other = place < 0 ? undefined : work.options.targets[place + 1];
  if (other !== undefined) return { ...table, comparing: { target: other.id, route: 0 } };
  const { comparing: _, ...done } = table;
  return { ...done, ...(table.readAt !== undefined && { comparedAt: table.readAt }) };
}
