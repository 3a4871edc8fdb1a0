/**
 * A place in the change stream: `<tick>-<n>`, totally ordered, equal to the id of the Redis stream entry that ends there.
 *
 * `tick` counts the cuts of the outbox (or is a commit LSN), `n` is the ordinal, inside the tick, of the last event that is
 * included. Both are decimal and below 2^64. Ordinals are counted before filters and partitioning, so that a position means
 * the same whatever the configuration (PROTOCOL.md 2).
 */
export type Position = `${bigint}-${bigint}`;

/** Before everything. */
export const startPosition: Position = "0-0";

const lastOrdinal = 18446744073709551615n;
const form = /^(\d{1,20})-(\d{1,20})$/;

/** The position of the `n`-th event of a tick. */
export function positionOf(tick: bigint | number, n: bigint | number): Position {
  return `${BigInt(tick)}-${BigInt(n)}`;
}

/** The position behind every event of `tick`, however many it has. */
export function endOfTick(tick: bigint | number): Position {
  return positionOf(tick, lastOrdinal);
}

/** Parses text from outside. Throws `TypeError` when it is not a position. */
export function parsePosition(text: string): Position {
  const match = form.exec(text);
  if (!match || BigInt(match[1]!) > lastOrdinal || BigInt(match[2]!) > lastOrdinal) {
    throw new TypeError("not a position: expected <tick>-<n>");
  }
  return text as Position;
}

/** Tick and ordinal of a position. */
export function splitPosition(position: Position): { tick: bigint; n: bigint } {
  const dash = position.indexOf("-");
  return { tick: BigInt(position.slice(0, dash)), n: BigInt(position.slice(dash + 1)) };
}

/** Negative when `a` comes before `b`, 0 when equal, positive when after. */
export function comparePositions(a: Position, b: Position): number {
  if (a === b) return 0;
  const left = splitPosition(a);
  const right = splitPosition(b);
  if (left.tick !== right.tick) return left.tick < right.tick ? -1 : 1;
  return left.n < right.n ? -1 : 1;
}

/** The earlier of two positions. */
export function earlier(a: Position, b: Position): Position {
  return comparePositions(a, b) <= 0 ? a : b;
}
