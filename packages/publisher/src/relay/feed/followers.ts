import {
  comparePositions,
  earlier,
  splitPosition,
  type Position,
  type RegisteredTarget,
} from "@lockstep/core";
import { isQueueTarget } from "../queue/queue-identity.js";
import type { FeedAcks } from "./feed-window.js";

/** A target that follows a partition, and how far it is known to be. */
export interface Follower {
  readonly id: string;
  readonly position: Position;
}

/** What is known of the targets of a partition. */
export interface FollowerFacts {
  readonly registered: readonly RegisteredTarget[];
  readonly acks: ReadonlyMap<string, Position>;
  readonly partition: number;
  /** End of the last tick. */
  readonly top: Position;
}

/** Targets that follow a partition: registered, not in need of a backfill, not ahead of the source. */
export function followersOf({ registered, acks, partition, top }: FollowerFacts): Follower[] {
  return registered
    .filter((t) => t.partition === partition && t.state === "following" && !isQueueTarget(t))
    .map((t) => ({ id: t.id, position: laterOf(t.position, acks.get(t.id)) }))
    .filter((t) => !isAhead(t.position, top));
}

/** Targets of another source, or of this one before it was rewound: they are beyond its last tick (PROTOCOL.md 11). */
export function aheadOfSource({ registered, acks, partition, top }: FollowerFacts): string[] {
  return registered
    .filter((t) => t.partition === partition && isAhead(laterOf(t.position, acks.get(t.id)), top))
    .map((t) => t.id);
}

/** By ticks: the last ordinal of a tick and its end mean the same. */
function isAhead(position: Position, top: Position): boolean {
  return splitPosition(position).tick > splitPosition(top).tick;
}

/** How far the followers are together. */
export function acksOf(followers: readonly Follower[]): FeedAcks {
  if (followers.length === 0) return { all: undefined, fastest: undefined };
  const positions = followers.map((f) => f.position);
  return { all: positions.reduce(earlier), fastest: positions.reduce((a, b) => laterOf(a, b)) };
}

/**
 * Where a new epoch begins: at the oldest position that a follower needs, leaving out those that the old epoch had left behind
 * already (they go on over their catch-up streams); at the top when nobody needs anything.
 */
export function beginAt(
  followers: readonly Follower[],
  top: Position,
  leftBehind: Position | undefined,
): Position {
  const inReach = followers.filter(
    (f) => leftBehind === undefined || comparePositions(f.position, leftBehind) >= 0,
  );
  const positions = (inReach.length > 0 ? inReach : followers).map((f) => f.position);
  return positions.length === 0 ? top : positions.reduce(earlier);
}

/** True when the log no longer holds what comes after `position`; a following target's registered position holds back whatever it still needs. */
export function isHistoryGone(
  position: Position,
  registered: Position | undefined,
  prunedThrough: Position,
): boolean {
  // Unless the log was let go of past the target all the same (`wal.confirm: "published"`).
  const holds =
    registered !== undefined && splitPosition(registered).tick >= splitPosition(prunedThrough).tick;
  if (holds && comparePositions(position, registered) >= 0) return false;
  return comparePositions(position, prunedThrough) < 0;
}

function laterOf(a: Position, b: Position | undefined): Position {
  return b === undefined || comparePositions(a, b) >= 0 ? a : b;
}
