import { type DeadLetterDetail, type LetterWrite, tableId } from "@lockstep/core";
import { positionOfEvent } from "../batch/planned-changes.js";
import { type Refused, sourceOf } from "./refused.js";

/** The part of a letter that says which change it holds. */
export type LetterChange = Pick<
  LetterWrite,
  "table" | "key" | "op" | "position" | "ordinal" | "schema" | "image" | "before" | "version"
>;

/** The source's change of a row of a batch. */
export function changeOfRow(refused: Refused): LetterChange {
  const { kind, row } = sourceOf(refused);
  const { event, part, key, schema } = row;
  const change = {
    table: tableId(schema),
    key,
    position: positionOfEvent(part, event),
    ordinal: event.ordinal,
    schema: schema.fingerprint,
    ...(event.version === undefined ? {} : { version: event.version }),
  };
  if (kind === "remove") return { ...change, op: "delete" };
  const op = event.op === "insert" || event.op === "snapshot" ? event.op : "update";
  const image = JSON.stringify(row.image);
  return row.before === undefined ? { ...change, op, image } : { ...change, op, image, before: row.before };
}

/** The change that a letter holds already. */
export function changeOfLetter(letter: DeadLetterDetail): LetterChange {
  const { table, key, position, ordinal, schema, image, before, version } = letter;
  const op = letter.op === "truncate" || letter.op === "barrier" ? "update" : letter.op;
  return {
    table,
    key,
    op,
    position,
    ordinal,
    schema,
    ...(image === undefined ? {} : { image }),
    ...(before === undefined ? {} : { before }),
    ...(version === undefined ? {} : { version }),
  };
}
