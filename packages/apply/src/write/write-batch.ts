import { assertNever, type DeadLetter, tableId } from "@lockstep/core";
import { countRows } from "../batch/batch.js";
import { type RowId, rowId, type Segment } from "../batch/planned-changes.js";
import { arrange } from "./arrange.js";
import { type MetLetters, meetLetters } from "./batch-letters.js";
import { isolateGuarded } from "./guard/isolate-guarded.js";
import { isolate } from "./isolate.js";
import { joinWaiting } from "./join-waiting.js";
import { layOver, type Untaken } from "./lay-over-letters.js";
import { leaveFormerKeys, leaveKeysFor } from "./leave-former-keys.js";
import { mapSegment } from "./map-segment.js";
import { dependsOnOthers, onePerRow, type Refused, regroup, rowIdOf, sourceOf } from "./refused.js";
import { judge, setAside } from "./set-aside.js";
import type { StepRoom } from "./step-room.js";
import { resolve } from "./resolve.js";
import { release } from "./write-letters.js";
import { empty, writeSegments, writeSegmentsAside } from "./write-sets.js";

/**
 * How a batch is written.
 * - `sets`: as fast as can be; any error fails the step
 * - `aside`: the same with everything out of each other's way; `untied`: also with rows that point to each other untied
 * - `isolate`: behind savepoints; rows that the target refuses become letters
 */
export type Manner = "sets" | "aside" | "untied" | "isolate";

/** Writes a batch and what its letters ask for. Runs inside a step; everything it does is in that one transaction. */
export async function writeBatch(
  room: StepRoom,
  segments: readonly Segment[],
  manner: Manner,
  meanwhile?: () => void,
): Promise<void> {
  const met = await meetLetters(room, segments);
  const laid = met.untaken.size === 0 ? segments : layOver(segments, met.untaken);
  const refused = await write(room, laid, manner, meanwhile);
  await settle(room, met, refused);
}

async function write(
  room: StepRoom,
  segments: readonly Segment[],
  manner: Manner,
  meanwhile?: () => void,
): Promise<readonly Refused[]> {
  if (manner === "isolate") return isolateSegments(room, segments, []);
  const mapped = segments.map((segment) => mapSegment(segment, room.tables.routesOf));
  // A row that can't be mapped may come again in a later segment: there it is judged by its newest state.
  if (mapped.some(({ failed }) => failed.length > 0)) return isolateSegments(room, segments, []);
  const arranged = mapped.map(arrange);
  switch (manner) {
    case "sets":
      await writeSegments(room, arranged, meanwhile);
      return [];
    case "aside":
    case "untied":
      await writeSegmentsAside(room, arranged, manner === "untied");
      return [];
    default:
      return assertNever(manner);
  }
}

/** Writes the pages of a very large transaction one after the other; only a page and its refused rows lie in memory (PROTOCOL.md 4). */
export async function writePages(room: StepRoom, pages: AsyncIterable<readonly Segment[]>): Promise<void> {
  let refused: readonly Refused[] = [];
  const letters: Map<RowId, DeadLetter> = new Map();
  for await (const page of pages) {
    const met = await meetLetters(room, page);
    room.ledger.records += countRows(page);
    for (const [row, letter] of met.letters) letters.set(row, letter);
    refused = await writePage(room, layOver(page, met.untaken), refused);
  }
  const open = refused.filter(dependsOnOthers);
  const still = open.length === 0 ? [] : await isolate(room, regroup(open));
  const final = refused.filter((one) => !dependsOnOthers(one));
  await settle(room, { letters, untaken: new Map() }, [...final, ...still]);
}

async function writePage(
  room: StepRoom,
  segments: readonly Segment[],
  refused: readonly Refused[],
): Promise<readonly Refused[]> {
  const mapped = segments.map((segment) => mapSegment(segment, room.tables.routesOf));
  if (refused.length > 0 || mapped.some(({ failed }) => failed.length > 0))
    return isolateSegments(room, segments, refused);
  const counted = room.ledger.conflicts.mark();
  try {
    await room.transaction.savepoint(() => writeSegments(room, mapped.map(arrange)));
    return [];
  } catch (error) {
    counted.takeBack();
    if (room.classify(error).kind === "systemic") throw error;
    return isolateSegments(room, segments, []);
  }
}

/** Segments one after the other; a row that was refused earlier and comes again is judged by its newest state. */
async function isolateSegments(
  room: StepRoom,
  segments: readonly Segment[],
  before: readonly Refused[],
): Promise<readonly Refused[]> {
  let refused = before;
  for (const segment of segments) {
    refused = await leaveKeysFor(room, segment, refused);
    const [laid] = refused.length === 0 ? [segment] : layOver([segment], untakenOf(refused));
    const mapped = mapSegment(laid ?? segment, room.tables.routesOf);
    const { truncates, sets } = arrange(mapped);
    for (const one of truncates) await empty(room, one);
    const over = rowsOver(segment);
    const kept = refused.filter((one) => !over(one));
    for (const one of mapped.failed) room.onRefused?.(one);
    refused = [...kept, ...mapped.failed, ...(await isolateGuarded(room, sets))];
  }
  return refused;
}

function untakenOf(refused: readonly Refused[]): Map<RowId, Untaken> {
  return new Map(
    refused.map((one) => {
      const source = sourceOf(one);
      if (source.kind === "remove") return [rowIdOf(one), {}];
      const { schema, image, before } = source.row;
      return [
        rowIdOf(one),
        before === undefined ? { image: { schema, image } } : { image: { schema, image }, before },
      ];
    }),
  );
}

/** True for rows that a segment writes, removes or truncates. */
function rowsOver({ truncates, tables }: Segment): (refused: Refused) => boolean {
  const emptied = new Set(truncates.map(tableId));
  const rows = new Set<RowId>();
  for (const { schema, writes, removes } of tables) {
    const table = tableId(schema);
    for (const { key, before } of writes) {
      rows.add(rowId(table, key));
      if (before !== undefined) rows.add(rowId(table, before));
    }
    for (const { key } of removes) rows.add(rowId(table, key));
  }
  return (one) => emptied.has(tableId(sourceOf(one).row.schema)) || rows.has(rowIdOf(one));
}

/** Letters of what was refused; letters of what was not are superseded, and what waited for them is released. */
async function settle(room: StepRoom, met: MetLetters, refused: readonly Refused[]): Promise<void> {
  const joined = await joinWaiting(room, refused, {
    letterOf: (one) => met.letters.get(rowIdOf(one))?.id,
    isTaken: (row) => met.letters.has(row),
  });
  room.ledger.records -= onePerRow(joined).length;
  const bad = onePerRow(await leaveFormerKeys(room, joined));
  const judged = await judge(room, bad, (row) => met.letters.get(row)?.id);
  for (const one of judged) if (one.waitingFor === undefined) room.onRefused?.(one.refused);
  await setAside(room, judged);
  // Also one that was made anew, under a key that is shown in another way by now.
  const isOver = ([row, { id }]: readonly [RowId, DeadLetter]): boolean =>
    room.ledger.put.get(row)?.id !== id;
  const over = [...met.letters].filter(isOver).map(([, letter]) => letter);
  await resolve(room, over, "superseded");
  await release(room, [...room.ledger.resolved.values()], room.maxReleased);
}
