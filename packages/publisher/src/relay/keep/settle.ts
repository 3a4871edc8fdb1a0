import {
  comparePositions,
  earlier,
  type Position,
  type RegisteredTarget,
  type StreamWriter,
} from "@lockstep/core";
import { appliedEverywhere } from "../feed/feed-window.js";
import { acksOf, aheadOfSource, followersOf } from "../feed/followers.js";
import type { OpenFeed } from "../feed/open-feed.js";
import type { RelayContext, Term } from "../relay-context.js";

/** Acknowledgements by partition. */
type AcksByPartition = readonly ReadonlyMap<string, Position>[];

/** What the stream says of the targets, in every partition. */
async function readAcks(stream: StreamWriter, partitions: number): Promise<AcksByPartition> {
  return Promise.all(Array.from({ length: partitions }, (_, partition) => stream.acks(partition)));
}

/** Takes acknowledgements to the source, then trims what everybody has applied: first the stream, then the source. */
export async function settle(context: RelayContext, term: Term, feeds: readonly OpenFeed[]): Promise<void> {
  const { log, stream, partitions } = context;
  const acks = await readAcks(stream, partitions);
  term.registered = await forgetRemoved(context, term, await log.targets());
  await noticeRewound(context, term, acks);
  const advanced = advances(term, acks);
  if (advanced.length > 0) await log.acknowledge(advanced);
  for (const open of feeds) await trimApplied(context, term, open, acks);
  term.prunes++;
  await log.prune({ maxTicks: maxTicksPerPrune, published: feeds.map((f) => f.window.last).reduce(earlier) });
}

/** Bounds one prune, and so how long acknowledgements and reports wait for it. */
const maxTicksPerPrune = 5_000;

/** Targets that somebody removed from the registry leave nothing behind in Redis. */
async function forgetRemoved(
  { stream, logger, source }: RelayContext,
  term: Term,
  registered: readonly RegisteredTarget[],
): Promise<readonly RegisteredTarget[]> {
  const left = new Set(registered.map((t) => t.id));
  for (const id of new Set(term.registered.map((t) => t.id))) {
    if (left.has(id)) continue;
    await stream.forget({ id });
    logger.info({ source, target: id }, "target removed");
  }
  return registered;
}

/** The source is asked again before a target counts as ahead of it: another relay may have cut ticks that this one hasn't seen. */
async function noticeRewound({ log }: RelayContext, term: Term, acks: AcksByPartition): Promise<void> {
  const ahead = (top: Position): Set<string> =>
    new Set(
      acks.flatMap((of, partition) =>
        aheadOfSource({ registered: term.registered, acks: of, partition, top }),
      ),
    );
  term.ahead = ahead(term.top);
  if (term.ahead.size > 0) term.ahead = ahead(await log.top());
}

function advances(
  term: Term,
  acks: AcksByPartition,
): { readonly id: string; readonly partition: number; readonly position: Position }[] {
  return term.registered.flatMap(({ id, partition, position: before, state }) => {
    const position = acks[partition]?.get(id);
    const isNews = position !== undefined && comparePositions(position, before) > 0;
    return isNews && state === "following" && !term.ahead.has(id) ? [{ id, partition, position }] : [];
  });
}

async function trimApplied(
  { stream }: RelayContext,
  term: Term,
  { feed, window }: OpenFeed,
  acks: AcksByPartition,
): Promise<void> {
  const { partition } = feed;
  const { registered, top } = term;
  const { all } = acksOf(followersOf({ registered, acks: acks[partition]!, partition, top }));
  const through = appliedEverywhere(window, all);
  if (through === undefined) return;
  await stream.trim(feed, through);
  window.trimTo(through);
}
