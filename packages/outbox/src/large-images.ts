import { LockstepError, maxPageBytes, type LoggedChanges, type LoggedEvent } from "@lockstep/core";
import type { EventRow } from "./event-row.js";

/**
 * An image larger than this is left behind when its row is read, and fetched when its turn comes: a page of rows is small whatever the rows
 * are, and asking for sizes first costs nothing where rows are small.
 */
export const maxInlineBytes = 4096;

/** Column of an {@link EventRow}: bytes of the image that was left behind. */
const leftBytesColumn = 11;

/** An image that was left behind. */
interface LeftImage {
  readonly transaction: string;
  readonly id: string;
  readonly bytes: number;
}

/** Events of a page, packed where their rows are, some without their images. */
export interface LightPage {
  readonly events: LoggedChanges[];
  readonly left: Map<LoggedChanges, LeftImage>;
}

/** A page without events. */
export function emptyPage(): LightPage {
  return { events: [], left: new Map() };
}

/** Adds a row's event. */
export function addTo({ events, left }: LightPage, event: LoggedEvent, row: EventRow): void {
  events.push(event);
  const bytes = row[leftBytesColumn];
  if (bytes != null) left.set(event, { transaction: row[0]!, id: row[1]!, bytes: Number(bytes) });
}

/** Fetches images that were left behind, by the ids of their rows. */
export type FetchImages = (images: readonly LeftImage[]) => Promise<ReadonlyMap<string, string>>;

/** The page with its images, in parts of about {@link maxPageBytes}; the page itself stays light. */
export async function* wholePages(
  events: readonly LoggedChanges[],
  left: LightPage["left"],
  fetchImages: FetchImages,
): AsyncGenerator<readonly LoggedChanges[]> {
  if (left.size === 0) {
    if (events.length > 0) yield events;
    return;
  }
  for (const part of partsOf(events, (event) => left.get(event)?.bytes ?? 0, maxPageBytes)) {
    const images = await fetchImages(part.flatMap((event) => left.get(event) ?? []));
    yield part.map((event) => {
      const behind = left.get(event);
      return behind === undefined ? event : { ...event, image: imageOf(images, behind, event) };
    });
  }
}

/** Cuts a list where `maxBytes` would be exceeded; what is larger is a part of its own. Pure. */
export function partsOf<T>(list: readonly T[], bytesOf: (one: T) => number, maxBytes: number): T[][] {
  const parts: T[][] = [];
  let room = -1;
  for (const one of list) {
    room -= bytesOf(one);
    if (room < 0) {
      parts.push([]);
      room = maxBytes - bytesOf(one);
    }
    parts.at(-1)!.push(one);
  }
  return parts;
}

function imageOf(images: ReadonlyMap<string, string>, { id }: LeftImage, { tick }: LoggedChanges): string {
  const image = images.get(id);
  if (image !== undefined) return image;
  throw new LockstepError("HISTORY_GONE", `tick ${tick} no longer has the rows it was cut with`, {
    details: { tick: String(tick) },
  });
}
