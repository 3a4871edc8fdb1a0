import { LockstepError } from "@lockstep/core";
import { Type } from "typebox";
import { Compile } from "typebox/compile";

/** Where a walk over several targets stands: each one's own cursor, `null` at its start; a target that is done is in `done`. */
export interface WalkState {
  readonly cursors: Readonly<Record<string, string | null>>;
  readonly done: readonly string[];
}

const form = Compile(
  Type.Object({
    q: Type.String(),
    c: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()])),
    d: Type.Array(Type.String()),
  }),
);

/** A cursor for the caller. `digest` ties it to its query. */
export function encodeCursor({ cursors, done }: WalkState, digest: string): string {
  return Buffer.from(JSON.stringify({ q: digest, c: cursors, d: done })).toString("base64url");
}

/** Reads a cursor that a caller sent. @throws LockstepError REQUEST_INVALID when it is damaged or of another query. */
export function decodeCursor(text: string, digest: string): WalkState {
  const parsed = parse(text);
  if (!form.Check(parsed))
    throw new LockstepError("REQUEST_INVALID", "query.cursor is not a cursor of this service");
  if (parsed.q !== digest)
    throw new LockstepError("REQUEST_INVALID", "query.cursor belongs to another filter; begin without it");
  return { cursors: parsed.c, done: parsed.d };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
