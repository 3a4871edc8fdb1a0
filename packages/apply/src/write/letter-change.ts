import { type DeadLetterDetail, type LetterWrite, tableId } from "@lockstep/core";
import { positionOfEvent } from "../batch/planned-changes.js";
import type { Refused } from "./refused.js";

/** The part of a letter that says which change it holds. */
export type LetterChange = Pick<
  LetterWrite,
  "table" | "key" | "op" | "position" | "ordinal" | "schema" | "image" | "before"
>;

/** The change of a row of a batch. */
export function changeOfRow({ kind, table, row }: Refused): LetterChange {
  const { event, part, key } = row;
  const change = {
    table: tableId(table.schema),
    key,
    position: positionOfEvent(part, event),
    ordinal: event.ordinal,
    schema: table.schema.fingerprint,
  };
  if (kind === "remove") return { ...change, op: "delete" };
  const op = event.op === "insert" || event.op === "snapshot" ? event.op : "update";
  const image = JSON.stringify(row.image);
  return row.before === undefined ? { ...change, op, image } : { ...change, op, image, before: row.before };
}

/** The change that a letter holds already. */
export function changeOfLetter(letter: DeadLetterDetail): LetterChange {
  const { table, key, position, ordinal, schema, image, before } = letter;
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
  };
}
