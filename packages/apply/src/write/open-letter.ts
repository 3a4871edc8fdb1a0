import {
  type Cell,
  type DeadLetter,
  type DeadLetterDetail,
  isSealed,
  type RowImage,
  type Sealer,
} from "@lockstep/core";

/** A letter as the source knows the row. What another secret has sealed is not known any more. */
export function openLetter<T extends DeadLetter & Partial<DeadLetterDetail>>(
  letter: T,
  sealer: Sealer | undefined,
): T {
  const open = sealer?.open ?? ((text: string) => text);
  const { key, image, before, rawError } = letter;
  return {
    ...letter,
    key: openTexts(key, open),
    ...(image === undefined ? {} : { image: openTexts(image, open, asUnknown) }),
    ...(before === undefined ? {} : { before: openTexts(before, open) }),
    ...(rawError === undefined ? {} : { rawError: open(rawError) }),
  };
}

function openTexts(
  json: string,
  open: (text: string) => string,
  judged: (opened: string, text: string) => Cell = (opened) => opened,
): string {
  const cells = JSON.parse(json) as RowImage;
  const opened = cells.map((cell) => (typeof cell === "string" ? judged(open(cell), cell) : cell));
  // Untouched texts stay as the source wrote them: equal text means the same row.
  return opened.some((cell, i) => cell !== cells[i]) ? JSON.stringify(opened) : json;
}

/** A seal that can't be opened is no value of the source's. */
function asUnknown(opened: string, text: string): Cell {
  return opened === text && isSealed(text) ? 0 : opened;
}
