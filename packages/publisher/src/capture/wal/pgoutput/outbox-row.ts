import { LockstepError, type Op } from "@lockstep/core";
import type { OutboxSchema } from "../relation/relation.js";
import type { Change } from "./change.js";

const opOf: Readonly<Record<string, Op>> = {
  i: "insert",
  u: "update",
  d: "delete",
  s: "snapshot",
  t: "truncate",
  b: "barrier",
};

/** The event that a row of the outbox carries. */
export function outboxEvent(
  cells: Readonly<Record<"op" | "key" | "image" | "before" | "version", string | undefined>>,
  { table, schema, keeps }: OutboxSchema,
): Change {
  const op = opOf[cells.op ?? ""];
  if (op === undefined)
    throw new LockstepError("STREAM_ENTRY_INVALID", "a row of the outbox has an unknown op");
  const change: Change = { op, schema, table, key: cells.key ?? "[]" };
  const { image, before, version } = cells;
  return {
    ...change,
    ...(image !== undefined && { image: keeps === undefined ? image : kept(image, keeps) }),
    ...(before !== undefined && { before }),
    ...(version !== undefined && { version }),
  };
}

/** Without the columns that the log doesn't hold: in the target they would keep this image's value for good. */
function kept(image: string, keeps: readonly number[]): string {
  const cells = JSON.parse(image) as readonly (string | null | 0)[];
  return JSON.stringify(keeps.map((i) => cells[i] ?? null));
}
