import { LockstepError } from "@lockstep/core";

/** The last letter of a page. */
export interface PageEnd {
  readonly lastFailedAt: number;
  readonly id: string;
}

/** A page's end as opaque text. */
export function writeCursor({ lastFailedAt, id }: PageEnd): string {
  return Buffer.from(`${lastFailedAt}:${id}`).toString("base64url");
}

/** The inverse of {@link writeCursor}. @throws LockstepError REQUEST_INVALID. */
export function readCursor(cursor: string): PageEnd {
  const match = /^(\d{1,15}):(\d{1,18})$/.exec(Buffer.from(cursor, "base64url").toString());
  if (match === null) throw new LockstepError("REQUEST_INVALID", "the cursor is not one that a page gave");
  return { lastFailedAt: Number(match[1]), id: match[2]! };
}
