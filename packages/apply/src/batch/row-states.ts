import type { ChangeEvent, RowImage, TableSchema } from "@lockstep/core";
import { isPartial, mayBePartial, mergeImages } from "./merge-images.js";
import type { Part, PlannedRemove, PlannedWrite } from "./planned-changes.js";

/** Where an event stands: what a row's state remembers of it. */
export interface Origin {
  readonly event: ChangeEvent;
  readonly part: Part;
  readonly schema: TableSchema;
}

interface Written extends Origin {
  readonly kind: "write";
  /** The newest image as text; parsed once, at the end, unless it had to be merged. */
  readonly image: string;
  readonly cells?: RowImage;
  /** The key that the target's row has before this batch. */
  readonly before?: string;
  /** The key may be taken in the target before this batch: an UPDATE of the key could clash with that row. */
  readonly taken: boolean;
}

type RowState = Written | (Origin & { readonly kind: "remove" }) | (Origin & { readonly kind: "moved" });

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
    else this.#rows.set(key, fresh(origin, previous !== undefined));
  }

  remove(key: string, origin: Origin): void {
    this.#rows.set(key, { kind: "remove", ...origin });
  }

  /**
   * True when an event can't be expressed beside what is here already, because cells would be lost: a key change with unknown
   * cells that meets another row (it must stay an UPDATE of the key), an image whose schema lacks columns of the image before it.
   */
  collides(event: ChangeEvent, schema: TableSchema): boolean {
    const { key, before, image } = event;
    if (this.#plain && before === undefined && schema === (this.#schema ?? schema)) return false;
    const state = this.#rows.get(before ?? key);
    if (state?.kind === "write" && state.schema !== schema && lacksColumns(schema, state.schema)) return true;
    if (before === undefined || before === key) {
      return state?.kind === "moved" && mayBePartial(state.event.image ?? "");
    }
    return (state !== undefined || this.#rows.has(key)) && mayBePartial(image ?? "");
  }

  #move(before: string, key: string, origin: Origin): void {
    const source = this.#rows.get(before);
    const target = this.#rows.get(key);
    const taken = target !== undefined;
    if (source?.kind === "write") {
      const carried = following(source, origin);
      this.#rows.set(key, { ...carried, before: source.before ?? before, taken: taken || source.taken });
    } else if (source === undefined) {
      this.#rows.set(key, { ...fresh(origin, taken), before });
    } else {
      this.#rows.set(key, fresh(origin, taken));
    }
    this.#rows.set(before, { kind: "moved", ...origin });
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
    for (const [key, { kind, event, part, schema }] of this.#rows) {
      if (kind === "remove" || (kind === "moved" && !moving.has(key)))
        removes.push({ key, event, part, schema });
    }
    return { writes, removes };
  }

  #plan(key: string, state: Written): PlannedWrite {
    const { event, part, schema } = state;
    const image = state.cells ?? (JSON.parse(state.image) as RowImage);
    const plain = { key, image, schema, event, part, partial: isPartial(image) };
    if (state.before === undefined) return plain;
    // With a whole image a key change that meets another row of this batch becomes insert and delete: swapped keys have no
    // order in which UPDATEs of the key would work.
    const meets = state.taken || this.#rows.get(state.before)?.kind === "write";
    return meets && !plain.partial ? plain : { ...plain, before: state.before };
  }
}

function lacksColumns(schema: TableSchema, other: TableSchema): boolean {
  const names = new Set(schema.columns.map((column) => column.name));
  return other.columns.some((column) => !names.has(column.name));
}

function fresh(origin: Origin, taken: boolean): Written {
  return { kind: "write", ...origin, image: origin.event.image ?? "[]", taken };
}

function following(older: Written, origin: Origin): Written {
  const image = origin.event.image ?? "[]";
  const { before, taken } = older;
  const kept = before === undefined ? { taken } : { before, taken };
  if (!mayBePartial(image)) return { kind: "write", ...origin, image, ...kept };
  const cells = mergeImages(
    { schema: older.schema, image: older.cells ?? (JSON.parse(older.image) as RowImage) },
    { schema: origin.schema, image: JSON.parse(image) as RowImage },
  );
  return { kind: "write", ...origin, image, cells, ...kept };
}
