import {
  type DeadLetterDetail,
  isSealed,
  LockstepError,
  type RowImage,
  type TableSchema,
} from "@lockstep/core";
import { isPartial } from "../batch/merge-images.js";
import { type Part, type RowId, rowId, type SourceChange } from "../batch/planned-changes.js";
import { mapChange, type RoutedRow } from "./map-change.js";
import { type Refused, rowIdOf } from "./refused.js";
import type { StepRoom } from "./step-room.js";

/** What letters become in the target: from each letter's own current image (PROTOCOL.md 14), mapped as the configuration is now. */
export interface LetterRows {
  /** Letters that can be tried. */
  readonly letters: readonly DeadLetterDetail[];
  readonly rows: readonly RoutedRow[];
  /** Letters that could not be mapped. */
  readonly failed: readonly Refused[];
}

/** The change that a letter holds. */
function changeOf(letter: DeadLetterDetail, schema: TableSchema): SourceChange {
  const part: Part = { id: letter.position, events: [] };
  const { ordinal, op, schema: fingerprint, key, image: text, before, version } = letter;
  const named = { ordinal, op, schema: fingerprint, key };
  const event = version === undefined ? named : { ...named, version };
  if (text === undefined) return { kind: "remove", row: { key, schema, event, part } };
  const image = JSON.parse(text) as RowImage;
  const row = { key, image, schema, event, part, partial: isPartial(image) };
  return { kind: "write", row: before === undefined ? row : { ...row, before } };
}

/** Why a letter can't be tried: its table can't be had, or nobody knows any more which row it is about. */
export function problemOf(
  { tables }: Pick<StepRoom, "tables">,
  { schema, key, before = "[]" }: DeadLetterDetail,
): LockstepError | undefined {
  const texts = [key, before].flatMap((json) => JSON.parse(json) as string[]);
  if (!texts.some(isSealed)) return tables.problem(schema);
  return new LockstepError("LETTER_UNREADABLE", "the letter's key was sealed with another maskSecret");
}

/** Makes the rows of letters. @throws TablesNeeded. */
export function letterRows(room: Pick<StepRoom, "tables">, letters: readonly DeadLetterDetail[]): LetterRows {
  const { tables } = room;
  tables.require(letters.map((letter) => letter.schema));
  const usable = letters.filter((letter) => problemOf(room, letter) === undefined);
  const rows: RoutedRow[] = [];
  const failed: Refused[] = [];
  for (const letter of usable) {
    const mapped = mapChange(
      changeOf(letter, tables.schemaOf(letter.schema)),
      tables.routesOf(letter.schema),
    );
    if ("fault" in mapped) failed.push(mapped);
    else rows.push(...mapped);
  }
  return { letters: usable, rows, failed };
}

/** Those of the letters none of whose rows is among the refused. */
export function applied(
  letters: readonly DeadLetterDetail[],
  refused: readonly Refused[],
): readonly DeadLetterDetail[] {
  const failed = new Set(refused.map(rowIdOf));
  return letters.filter(({ table, key }) => !failed.has(rowId(table, key)));
}

/** A refused row with the letter that it came from, if it came from one. */
export function withLetter(refused: Refused, letters: ReadonlyMap<RowId, DeadLetterDetail>): Refused {
  const letter = letters.get(rowIdOf(refused));
  return letter === undefined ? refused : { ...refused, letter };
}
