import { LockstepError } from "@lockstep/core";

/** Longer statements gain nothing and keep more memory busy on both sides. */
const goodLengthBytes = 4 * 1024 * 1024;
/** Rows of one statement: more gain nothing, and an error in one throws away less work. */
const goodLengthRows = 2000;

/**
 * Cuts rows into statements below the server's `max_allowed_packet`. `head` and `tail` stand around each, `between` between two rows.
 * @throws LockstepError TARGET_VALUE when one row alone is too long: sent anyway, the server would close the connection and the lane
 * would take the row for an outage.
 */
export function* packets(
  head: string,
  parts: readonly string[],
  between: string,
  tail: string,
  maxPacketBytes: number,
): Generator<{ readonly sql: string; readonly from: number; readonly to: number }> {
  const frame = Buffer.byteLength(head) + Buffer.byteLength(tail) + 64;
  const limit = Math.min(goodLengthBytes, maxPacketBytes - 64);
  let from = 0;
  let bytes = frame;
  for (let i = 0; i < parts.length; i += 1) {
    const length = Buffer.byteLength(parts[i]!) + between.length;
    if (frame + length > maxPacketBytes - 64) throw tooLong(maxPacketBytes);
    if (i > from && (bytes + length > limit || i - from >= goodLengthRows)) {
      yield { sql: head + parts.slice(from, i).join(between) + tail, from, to: i };
      from = i;
      bytes = frame;
    }
    bytes += length;
  }
  if (from < parts.length) {
    yield { sql: head + parts.slice(from).join(between) + tail, from, to: parts.length };
  }
}

function tooLong(maxPacketBytes: number): LockstepError {
  return new LockstepError("TARGET_VALUE", "a row is longer than the target's max_allowed_packet", {
    details: { about: "max_allowed_packet", maxPacketBytes },
  });
}
