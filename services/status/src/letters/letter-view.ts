import {
  type Cell,
  type DeadLetter,
  type DeadLetterDetail,
  errorTable,
  isSealed,
  type RowImage,
  tableId,
  type TableSchema,
} from "@lockstep/core";
import { laneIdOf, letterIdOf } from "../fleet/addresses.js";
import type { LetterDetailView, LetterView } from "./letter-schema.js";
import type { Mask } from "@lockstep/core";
import { maskKey, maskText } from "./mask.js";

/** What a letter is shown with. */
export interface LetterContext {
  readonly target: string;
  readonly mask: Mask;
  /** The schema of the letter's image, when it is known. */
  readonly schema: TableSchema | undefined;
}

/** A letter as lists show it. */
export function letterView(letter: DeadLetter, { target, mask, schema }: LetterContext): LetterView {
  return {
    id: letterIdOf(target, letter.id),
    target,
    source: letter.source,
    partition: letter.partition,
    lane: laneIdOf({ source: letter.source, target, partition: letter.partition }),
    table: letter.table,
    key: maskKey(mask, letter.table, letter.key, schema),
    op: letter.op,
    state: letter.state,
    code: letter.code,
    about: letter.about ?? null,
    hint: hintOf(letter.code),
    attempts: letter.attempts,
    maxAttempts: letter.maxAttempts,
    position: letter.position,
    firstFailedAt: instant(letter.firstFailedAt),
    lastFailedAt: instant(letter.lastFailedAt),
    dueAt: instantOrNull(letter.dueAt),
    waitingFor: letter.waitingFor === undefined ? null : letterIdOf(target, letter.waitingFor),
    resolvedAt: instantOrNull(letter.resolvedAt),
    resolvedBy: letter.resolvedBy ?? null,
    reason: letter.reason ?? null,
  };
}

/** A letter with its row. */
export function letterDetailView(letter: DeadLetterDetail, context: LetterContext): LetterDetailView {
  const { mask, schema } = context;
  const known = schema !== undefined && tableId(schema) === letter.table ? schema : undefined;
  const { before } = letter;
  return {
    ...letterView(letter, context),
    ...imageView(letter, mask, known),
    before: before === undefined ? null : maskKey(mask, letter.table, before, known),
    // The driver's words quote values of any column: one masked column hides them all.
    rawError: mask.mayHide(letter.table) || isSealed(letter.rawError) ? null : letter.rawError,
    history: letter.history.map(({ at, code, about }) => ({ at: instant(at), code, about: about ?? null })),
  };
}

type ImageView = Pick<LetterDetailView, "image" | "unknown" | "masked">;

function imageView(letter: DeadLetterDetail, mask: Mask, schema: TableSchema | undefined): ImageView {
  if (letter.image === undefined) return { image: null, unknown: [], masked: [] };
  const cells = JSON.parse(letter.image) as RowImage;
  if (schema === undefined || schema.columns.length !== cells.length)
    return namelessImage(letter.table, cells, mask);
  const columns: [string, string | null][] = [];
  const unknown: string[] = [];
  const masked: string[] = [];
  for (const [i, { name }] of schema.columns.entries()) {
    const cell = cells[i]!;
    if (cell === 0) unknown.push(name);
    else if (mask.hides(letter.table, name) || isHidden(cell)) {
      masked.push(name);
      columns.push([name, maskText]);
    } else columns.push([name, cell]);
  }
  return { image: Object.fromEntries(columns), unknown, masked };
}

// Without names no cell can be told from a masked one.
function namelessImage(table: string, cells: RowImage, mask: Mask): ImageView {
  const unknown = cells.flatMap((cell, i) => (cell === 0 ? [String(i)] : []));
  const hide = mask.mayHide(table);
  const shown = cells.map((cell: Cell) => (cell === 0 ? null : hide || isHidden(cell) ? maskText : cell));
  return { image: shown, unknown, masked: hide ? ["*"] : [] };
}

/** True for what the target's mapping keeps from the target, and so from whoever reads its letters. */
function isHidden(cell: Cell): boolean {
  return typeof cell === "string" && isSealed(cell);
}

/** What to do about a code; `null` for one that this version doesn't know. */
export function hintOf(code: string): string | null {
  return code in errorTable ? errorTable[code as keyof typeof errorTable].hint : null;
}

function instant(at: number): string {
  return new Date(at).toISOString();
}

/** Milliseconds since 1970 as ISO 8601. */
export function instantOrNull(at: number | undefined): string | null {
  return at === undefined ? null : instant(at);
}
