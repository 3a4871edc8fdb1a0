import type { ChangeEvent, RowImage, TableSchema } from "@lockstep/core";
import { mayBePartial, mergeImages } from "./merge-images.js";
import { NewestRow, parsedImage } from "./newest-row.js";
import type { Part, PlannedRemove, PlannedWrite } from "./planned-changes.js";

/** Where an event stands: what a row's state remembers of it. */
export interface Origin {
  readonly event: ChangeEvent;
  readonly part: Part;
  readonly schema: TableSchema;
}

interface Written {
  readonly kind: "write";
  /** The event with the newest image, which stays text until the end. */
  readonly origin: Origin;
  /** The newest image, when it had to be merged. */
  readonly cells: RowImage | undefined;
  /** The key that the target's row has before this batch. */
  readonly before: string | undefined;
  /** The key may be taken in the target before this batch: an UPDATE of the key could clash with that row. */
  readonly taken: boolean;
}

type RowState = Written | { readonly kind: "remove" | "moved"; readonly origin: Origin };

/**
 * What a run of events leaves of each row of one table. Keys that differ in text are different rows; a change of the key
 * carries the state along.
 */
export class RowStates {
  readonly #rows = new Map<string, RowState>();
  /** Whether anything here can collide at all: nearly never, and then nothing need be looked up. */
  #plain = true;
  #schema: TableSchema | undefined;

  write(key: string, origin: Origin): void {
    const previous = this.#rows.get(key);
    const { before } = origin.event;
    this.#schema ??= origin.schema;
    if (before !== undefined || this.#schema !== origin.schema) this.#plain = false;
    if (before !== undefined && before !== key) this.#move(before, key, origin);
    else if (previous?.kind === "write") this.#rows.set(key, following(previous, origin));
    else this.#rows.set(key, written(origin, undefined, previous !== undefined));
  }

  remove(key: string, origin: Origin): void {
    this.#rows.set(key, { kind: "remove", origin });
  }

  /**
   * True when an event can't be expressed beside what is here already, because cells would be lost: a key change with unknown
   * cells that meets another row (it must stay an UPDATE of the key), an image whose schema lacks columns of the image before it.
   */
  collides(event: ChangeEvent, schema: TableSchema): boolean {
    const { key, before, image } = event;
    if (this.#plain && before === undefined && schema === (this.#schema ?? schema)) return false;
    const state = this.#rows.get(before ?? key);
    const other = state?.kind === "write" ? state.origin.schema : schema;
    if (other !== schema && lacksColumns(schema, other)) return true;
    if (before === undefined || before === key) {
      return state?.kind === "moved" && mayBePartial(state.origin.event.image ?? "");
    }
    return (state !== undefined || this.#rows.has(key)) && mayBePartial(image ?? "");
  }

  #move(before: string, key: string, origin: Origin): void {
    const source = this.#rows.get(before);
    const taken = this.#rows.has(key);
    if (source?.kind === "write") {
      const { cells } = following(source, origin);
      this.#rows.set(key, written(origin, source.before ?? before, taken || source.taken, cells));
    } else {
      this.#rows.set(key, written(origin, source === undefined ? before : undefined, taken));
    }
    this.#rows.set(before, { kind: "moved", origin });
  }

  /** The final writes and removes, in the order in which the keys were first met. */
  finish(): { writes: PlannedWrite[]; removes: PlannedRemove[] } {
    const writes: PlannedWrite[] = [];
    const removes: PlannedRemove[] = [];
    const moving = new Set<string>();
    for (const [key, state] of this.#rows) {
      if (state.kind !== "write") continue;
      const write = this.#plan(key, state);
      if (write.before !== undefined) moving.add(write.before);
      writes.push(write);
    }
    for (const [key, { kind, origin }] of this.#rows) {
      const { event, part, schema } = origin;
      if (kind === "remove" || (kind === "moved" && !moving.has(key)))
        removes.push({ key, event, part, schema });
    }
    return { writes, removes };
  }

  #plan(key: string, { origin, cells, before, taken }: Written): PlannedWrite {
    const row = new NewestRow(key, origin, cells);
    // With a whole image a key change that meets another row of this batch becomes insert and delete: swapped keys have no
    // order in which UPDATEs of the key would work.
    const meets = before !== undefined && (taken || this.#rows.get(before)?.kind === "write");
    if (before !== undefined && (row.partial || !meets)) row.before = before;
    return row;
  }
}

function lacksColumns(schema: TableSchema, other: TableSchema): boolean {
  const names = new Set(schema.columns.map((column) => column.name));
  return other.columns.some((column) => !names.has(column.name));
}

function written(
  origin: Origin,
  before: string | undefined,
  taken: boolean,
  cells: RowImage | undefined = undefined,
): Written {
  return { kind: "write", origin, cells, before, taken };
}

function following(older: Written, origin: Origin): Written {
  const { before, taken, cells } = older;
  if (!mayBePartial(origin.event.image ?? "")) return written(origin, before, taken);
  const merged = mergeImages(
    { schema: older.origin.schema, image: cells ?? parsedImage(older.origin.event) },
    { schema: origin.schema, image: parsedImage(origin.event) },
  );
  return written(origin, before, taken, merged);
}
