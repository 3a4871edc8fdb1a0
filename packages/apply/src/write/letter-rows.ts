import type { DeadLetterDetail, RowImage, TargetTable } from "@lockstep/core";
import { isPartial } from "../batch/merge-images.js";
import type { Part, PlannedRemove, PlannedWrite, RowId } from "../batch/planned-changes.js";
import { type Refused, rowIdOf } from "./refused.js";
import type { StepRoom } from "./step-room.js";

/** A letter's change as a row to write or remove, from the letter's own current image (PROTOCOL.md 14). */
export type LetterRow =
  | {
      readonly kind: "write";
      readonly table: TargetTable;
      readonly row: PlannedWrite;
      readonly letter: DeadLetterDetail;
    }
  | {
      readonly kind: "remove";
      readonly table: TargetTable;
      readonly row: PlannedRemove;
      readonly letter: DeadLetterDetail;
    };

/** Makes the row of a letter. */
function letterRow(letter: DeadLetterDetail, table: TargetTable): LetterRow {
  const part: Part = { id: letter.position, events: [] };
  const { ordinal, op, schema: fingerprint, key, image: text, before } = letter;
  const event = { ordinal, op, schema: fingerprint, key };
  const { schema } = table;
  if (text === undefined) return { kind: "remove", table, letter, row: { key, schema, event, part } };
  const image = JSON.parse(text) as RowImage;
  const row = { key, image, schema, event, part, partial: isPartial(image) };
  return { kind: "write", table, letter, row: before === undefined ? row : { ...row, before } };
}

/** Rows of letters whose tables can be had. @throws TablesNeeded. */
export function letterRows(
  { tables }: Pick<StepRoom, "tables">,
  letters: readonly DeadLetterDetail[],
): LetterRow[] {
  tables.require(letters.map((letter) => letter.schema));
  return letters
    .filter((letter) => tables.problem(letter.schema) === undefined)
    .map((letter) => letterRow(letter, tables.of(letter.schema)));
}

/** A refused row with the letter that it came from, if it came from one. */
export function withLetter(refused: Refused, letters: ReadonlyMap<RowId, DeadLetterDetail>): Refused {
  const letter = letters.get(rowIdOf(refused));
  return letter === undefined ? refused : { ...refused, letter };
}
