import { randomUUID } from "node:crypto";
import { splitPosition, type Feed, type FeedHead, type Position } from "@lockstep/core";
import type { RelayContext, Term } from "../relay-context.js";
import { FeedWindow, type FeedAcks, type FeedSize } from "./feed-window.js";
import { acksOf, beginAt, followersOf, type Follower } from "./followers.js";

/** A feed that this relay writes. */
export interface OpenFeed {
  readonly feed: Feed;
  readonly epoch: string;
  readonly window: FeedWindow;
  readonly bounds: FeedSize;
  /** Total of the last entry it held when it was opened; 0 when that isn't known. */
  readonly openedAtTotal: number;
  /** Asks how far the targets of the feed are. */
  acked(): Promise<FeedAcks>;
}

/** What a relay takes over, and where it must begin anew. */
export interface OpeningRules {
  readonly prunedThrough: Position;
  /** The stream refused its chain: begin anew whatever its head says. */
  readonly mustBegin: boolean;
  /** What the feed's last epoch had trimmed. */
  readonly leftBehind: Position | undefined;
}

/**
 * Takes a partition's stream over where it stands, or begins a new epoch of it: when Redis was emptied, when the stream belongs to
 * another source, when its chain was found broken, or when it ends before what the source still holds.
 */
export async function openMainFeed(
  context: RelayContext,
  term: Term,
  partition: number,
  rules: OpeningRules,
): Promise<OpenFeed> {
  const { stream, partitions, limits } = context;
  const feed: Feed = { partition };
  const followers = async (): Promise<Follower[]> => {
    const acks = await stream.acks(partition);
    return followersOf({ registered: term.registered, acks, partition, top: term.top });
  };
  const bounds = {
    events: Math.ceil(limits.maxStreamEvents / partitions),
    bytes: Math.ceil(limits.maxStreamBytes / partitions),
  };
  const head = await stream.head(feed);
  if (head && head.incarnation !== term.incarnation) await forgetAcks(context, partition);
  const openedAtTotal = head?.total ?? 0;
  const opened = { feed, bounds, openedAtTotal, acked: async () => acksOf(await followers()) };
  const following = await followers();
  if (!rules.mustBegin && head && isAdoptable(head, term, partitions, rules.prunedThrough)) {
    const { last, length } = head;
    const most = { events: length * limits.maxEntryEvents, bytes: length * limits.maxEntryBytes };
    // A target's first entries must find room even when the stream taken over holds more than can be known from its length.
    const unknown = {
      events: Math.min(most.events, bounds.events),
      bytes: Math.min(most.bytes, bounds.bytes),
    };
    return { ...opened, epoch: head.epoch, window: new FeedWindow(last, unknown) };
  }
  const at = beginAt(following, term.top, rules.leftBehind);
  const epoch = `${partitions}.${randomUUID()}`;
  await stream.begin(feed, { epoch, incarnation: term.incarnation, at });
  const { source, logger } = context;
  logger.info({ source, partition, at, replaced: head?.last }, "stream begins a new epoch");
  return { ...opened, epoch, window: new FeedWindow(at) };
}

/** Acknowledgements of another source's positions would count as this one's as soon as it has got that far. */
async function forgetAcks({ stream }: RelayContext, partition: number): Promise<void> {
  for (const id of (await stream.acks(partition)).keys()) await stream.forget({ id });
}

function isAdoptable(head: FeedHead, term: Term, partitions: number, prunedThrough: Position): boolean {
  const { tick } = splitPosition(head.last);
  return (
    head.incarnation === term.incarnation &&
    partitionsOf(head) === partitions &&
    tick <= splitPosition(term.top).tick &&
    // What follows it may be pruned: going on from there would hide the hole behind a chain that looks whole.
    tick >= splitPosition(prunedThrough).tick
  );
}

/** The number of partitions is a part of the epoch's name, and so of the stream's layout (PROTOCOL.md 23). */
function partitionsOf(head: FeedHead): number {
  return Number.parseInt(head.epoch, 10);
}

/** Begins a target's catch-up stream at its position. */
export async function beginCatchUpFeed(
  { stream, limits }: RelayContext,
  term: Term,
  feed: Feed & { readonly target: string },
  at: Position,
): Promise<OpenFeed> {
  const epoch = randomUUID();
  await stream.begin(feed, { epoch, incarnation: term.incarnation, at });
  return {
    feed,
    epoch,
    window: new FeedWindow(at),
    openedAtTotal: 0,
    bounds: { events: limits.maxCatchUpEvents, bytes: limits.maxCatchUpBytes },
    async acked() {
      const mine = (await stream.acks(feed.partition)).get(feed.target) ?? at;
      return { all: mine, fastest: mine };
    },
  };
}
