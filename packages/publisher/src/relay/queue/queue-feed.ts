import {
  backoffMs,
  eventsOf,
  isLockstepError,
  outageBackoff,
  positionOf,
  tableId,
  type ChangeLog,
  type LoggedChanges,
  type LoggedEvent,
  type Position,
  type TableSchema,
} from "@lockstep/core";
import type { IdentifiedJob } from "@lockstep/stream";
import { Latch } from "../latch.js";
import { endsAt, readAhead } from "../log/read-ahead.js";
import type { RelayContext, Term } from "../relay-context.js";
import { jobMaker, type JobOrigin } from "./job-of.js";
import { isQueueTarget, queueAddress, queueTargetId } from "./queue-identity.js";

/** A queue of the user's own and the tables (`namespace.name`) whose changes become its jobs. */
export interface QueueFeed {
  readonly queue: string;
  readonly tables: readonly string[];
  add(jobs: readonly IdentifiedJob[]): Promise<void>;
}

/** Feeds all queues until the term ends; a queue that fails is tried again and stops no other. */
export async function feedQueues(context: RelayContext, term: Term): Promise<void> {
  warnOfUnfed(context, term);
  await Promise.all(context.queues.map((feed) => feedForEver(context, term, feed)));
}

/** Its registration holds the source's events back until somebody removes it, or configures it again. */
function warnOfUnfed({ queues, source, logger }: RelayContext, { registered }: Term): void {
  const fed = new Set(queues.map(({ queue }) => queueTargetId(source, queue)));
  for (const { id, name } of registered.filter(isQueueTarget)) {
    if (!fed.has(id)) logger.warn({ source, target: name }, "queue is no longer fed: remove it as a target");
  }
}

async function feedForEver(context: RelayContext, term: Term, feed: QueueFeed): Promise<void> {
  const { logger, source } = context;
  let failures = 0;
  while (!term.signal.aborted) {
    try {
      await feedQueue(context, term, feed, () => void (failures = 0));
    } catch (error) {
      if (term.signal.aborted) return;
      const code = isLockstepError(error) ? error.code : "unknown";
      logger.warn({ source, queue: feed.queue, code }, "queue could not be fed");
      await new Latch().wait(backoffMs(++failures, outageBackoff), term.signal);
    }
  }
}

/** Turns changes into jobs until the term ends. How far it is stands in the source's registry, so that it survives the loss of Redis. */
async function feedQueue(
  context: RelayContext,
  term: Term,
  feed: QueueFeed,
  onProgress: () => void,
): Promise<void> {
  const { log, limits, source } = context;
  const { signal, incarnation } = term;
  const id = queueTargetId(source, feed.queue);
  const name = `queue:${feed.queue}`;
  const address = `${queueAddress}${feed.queue}`;
  let { position } = await log.register({ id, name, address, partition: 0 });
  const jobs = jobsOf(log, feed, { source, incarnation });
  const ticked = new Latch();
  term.ticked.add(ticked);
  try {
    while (!signal.aborted) {
      ticked.clear();
      for await (const page of readAhead(
        log.read(position, { pageEvents: limits.pageEvents, signal }),
        endsAt(term.top),
      )) {
        await feed.add(await jobs(eventsOf(page)));
        position = endOf(page);
        // Durable in the registry: what Redis forgets of it is done again from here, by jobs with the same ids.
        await log.acknowledge([{ id, partition: 0, position }]);
        onProgress();
      }
      await ticked.wait(limits.idleMs, signal);
    }
  } finally {
    term.ticked.delete(ticked);
  }
}

function jobsOf(
  log: ChangeLog,
  feed: QueueFeed,
  origin: JobOrigin,
): (page: readonly LoggedEvent[]) => Promise<IdentifiedJob[]> {
  const jobOf = jobMaker(origin);
  const tables = new Set(feed.tables);
  const schemas = new Map<string, TableSchema>();
  return async (page) => {
    // What names its audience is for databases that lack it: no job is for a change that never happened.
    const mine = page.filter(
      ({ table, op, transaction }) =>
        tables.has(tableId(table)) && op !== "barrier" && transaction.audience === undefined,
    );
    if (mine.some((event) => !schemas.has(event.schema))) {
      for (const schema of await log.schemas()) schemas.set(schema.fingerprint, schema);
    }
    return mine.map((event) => jobOf(event, schemas.get(event.schema)));
  };
}

function endOf(page: readonly LoggedChanges[]): Position {
  const last = page.at(-1)!;
  return positionOf(last.tick, last.ordinal);
}
