import { LockstepError, opOfLetter } from "@lockstep/core";
import { type RowChange, unpack } from "@lockstep/outbox/postgres";
import type { OutboxSchema } from "../relation/relation.js";
import type { Change } from "./change.js";

/** The events that a row of the outbox carries. */
export function outboxEvents(row: RowChange, schema: OutboxSchema): Change[] {
  return unpack(row).map((change) => outboxEvent(change, schema));
}

function outboxEvent(
  { op: letter, key, image, before, version }: RowChange,
  { table, schema, keeps }: OutboxSchema,
): Change {
  const op = opOfLetter(letter);
  if (op === undefined)
    throw new LockstepError("STREAM_ENTRY_INVALID", "a row of the outbox has an unknown op");
  return {
    op,
    schema,
    table,
    key,
    ...(image != null && { image: keeps === undefined ? image : kept(image, keeps) }),
    ...(before != null && { before }),
    ...(version != null && { version }),
  };
}

/** Without the columns that the log doesn't hold: in the target they would keep this image's value for good. */
function kept(image: string, keeps: readonly number[]): string {
  const cells = JSON.parse(image) as readonly (string | null | 0)[];
  return JSON.stringify(keeps.map((i) => cells[i] ?? null));
}
