import type { ChangedPage, ChangeMark, ChangePlace } from "@lockstep/core";
import { firstChunk, nextChunk, smallerChunk } from "../full/chunk-size.js";
import { waitForRoom } from "./wait.js";
import type { WatchedProgress } from "./incremental-job.js";
import { isSettled, thinned } from "./marks.js";
import { at, type Cursor, type Ended, keep, keepAtLast, movedTo } from "./room.js";

/** Sends what has changed in a table since the last pass; `undefined` when all of it is in the outbox. */
export async function readChanges(cursor: Cursor): Promise<Ended | undefined> {
  const wasUnderWay = at(cursor).reading !== undefined;
  const ended = await readThrough(cursor);
  // What another process had begun ends where the table ended then, which may be long ago.
  return ended !== undefined || !wasUnderWay ? ended : readThrough(cursor);
}

async function readThrough(cursor: Cursor): Promise<Ended | undefined> {
  const { bounds, pace, flow, stop, now, sleep, told } = cursor.work;
  const begun = await begin(cursor);
  if (begun !== undefined) return begun;
  let size = Math.min(firstChunk(undefined, bounds), pace.most());
  for (let refusals = 0; at(cursor).reading !== undefined;) {
    const ended = stop.aborted ? "stopped" : await waitForRoom(cursor.work);
    if (ended !== undefined) return ended;
    const began = now();
    const sent = await sendPage(cursor, size);
    if (typeof sent === "string" && sent !== "given-way") return sent;
    if (sent === "given-way") {
      size = smallerChunk(size);
      told("the outbox's database");
      await sleep(Math.min(1_000, 10 * 2 ** refusals++));
      continue;
    }
    refusals = 0;
    size = Math.min(nextChunk(size, { ...sent, ms: now() - began }, bounds), pace.most());
    flow.sent(sent.sent);
    told();
    await sleep(pace.after(sent.sent, now()));
  }
  return undefined;
}

const lookMs = 25;

/**
 * Where this pass reads, and from where the next one will. Everything that isn't visible when this pass begins to read must lie behind the next one's beginning: so that
 * is a mark whose transactions are all over by now. A new mark is waited for a moment, as most transactions are short; when one of them isn't, an
 * older mark has to do, and more is read again.
 */
async function begin(cursor: Cursor): Promise<Ended | undefined> {
  const { work, watched } = cursor;
  const before = at(cursor);
  if (before.reading !== undefined) return undefined;
  const mark = await work.rows.mark(watched);
  const until = work.now() + work.settleMs;
  while ((await work.rows.ended(mark)) === "open" && work.now() < until) await work.sleep(lookMs);
  const marks = [...before.marks, mark];
  const newest = await newestSettled(cursor, marks, mark.at);
  const { since, marks: _, ...rest } = before;
  const nextSince = newest === undefined ? since : (marks[newest]!.value ?? undefined);
  const place: ChangePlace = since === undefined ? { at: "start" } : { at: "from", value: since };
  const reading: WatchedProgress = {
    ...rest,
    ...(since !== undefined && { since }),
    marks: thinned(newest === undefined ? marks : marks.slice(newest + 1)),
    reading: {
      place,
      at: mark.at,
      ...(mark.highest !== null && { through: mark.highest }),
      ...(nextSince !== undefined && { nextSince }),
    },
  };
  return keepAtLast(work, movedTo(cursor, reading), (run) => work.images.register(run, [watched.schema]));
}

async function newestSettled(
  { work, watched }: Cursor,
  marks: readonly ChangeMark[],
  now: number,
): Promise<number | undefined> {
  for (let i = marks.length - 1; i >= 0; i--) {
    if (isSettled(marks[i]!, await work.rows.ended(marks[i]!), watched, now)) return i;
  }
  return undefined;
}

interface Sent {
  /** Read. */
  readonly rows: number;
  readonly bytes: number;
  readonly sent: number;
}

/** One page and the place behind it, in one transaction. */
async function sendPage(cursor: Cursor, size: number): Promise<Sent | Ended | "given-way"> {
  const { work, watched, audience } = cursor;
  const table = at(cursor);
  const { place, through, nextSince, at: readAt } = table.reading!;
  const page = await work.rows.page(watched, place, {
    limit: size,
    ...(through !== undefined && { through }),
  });
  const fresh = cursor.sent.fresh(page.rows);
  const next = nextPlace(place, page, size);
  const { reading: _, since: __, ...rest } = { ...table, rows: table.rows + fresh.length };
  const moved: WatchedProgress =
    next === undefined
      ? { ...rest, ...(nextSince !== undefined && { since: nextSince }), readAt }
      : {
          ...rest,
          ...(table.since !== undefined && { since: table.since }),
          reading: { ...table.reading!, place: next },
        };
  const kept = await keep(work, movedTo(cursor, moved), (run) =>
    work.images.append(run, watched.schema, fresh, audience === undefined ? {} : { audience }),
  );
  if (kept !== undefined) return kept;
  cursor.sent.sent(fresh);
  const bytes = page.rows.reduce((sum, { key, image }) => sum + key.length + (image?.length ?? 0), 0);
  return { rows: page.rows.length, bytes, sent: fresh.length };
}

/**
 * Where reading goes on; `undefined`: this was the end. Rows with one change value are read to their end by key, then those above it: both in the order of an
 * index, however many have the same value. A row that is written meanwhile moves to a higher value, and is met by the next pass.
 */
export function nextPlace(
  place: ChangePlace,
  { rows, last }: ChangedPage,
  size: number,
): ChangePlace | undefined {
  if (rows.length === size && last !== undefined) return { at: "group", ...last };
  return place.at === "group" ? { at: "behind", value: place.value } : undefined;
}
