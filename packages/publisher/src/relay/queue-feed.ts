import { createHash } from "node:crypto";
import {
  backoffMs,
  isLockstepError,
  outageBackoff,
  positionOf,
  tableId,
  type ChangeLog,
  type LoggedEvent,
  type Position,
  type RegisteredTarget,
  type RowImage,
  type TableSchema,
} from "@lockstep/core";
import { Latch } from "./latch.js";
import { readAhead } from "./read-ahead.js";
import type { RelayContext, Term } from "./relay-context.js";

/** A change as a job. All values are the database's texts. */
export interface QueueJob {
  readonly table: string;
  readonly op: "insert" | "update" | "delete" | "snapshot" | "truncate";
  readonly key: Readonly<Record<string, string>>;
  readonly row?: Readonly<Record<string, string | null>>;
  readonly before?: Readonly<Record<string, string>>;
  readonly position: Position;
  readonly at: number;
}

/** A queue of the user's own and the tables (`namespace.name`) whose changes become its jobs. */
export interface QueueFeed {
  readonly queue: string;
  readonly tables: readonly string[];
  add(jobs: readonly QueueJob[]): Promise<void>;
}

/** No database's address has a space in it. */
const queueAddress = "bullmq queue ";

/** True for the registration of a queue: it holds the source's events back, but reads no stream. */
export function isQueueTarget({ address }: Pick<RegisteredTarget, "address">): boolean {
  return address.startsWith(queueAddress);
}

/** The id under which a queue is registered as a target: the same in every process, in the form of a uuid. */
export function queueTargetId(source: string, queue: string): string {
  const hex = createHash("sha256")
    .update(JSON.stringify(["queue", source, queue]))
    .digest("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

/** Feeds all queues until the term ends; a queue that fails is tried again and stops no other. */
export async function feedQueues(context: RelayContext, term: Term): Promise<void> {
  await Promise.all(context.queues.map((feed) => feedForEver(context, term, feed)));
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
  const { signal } = term;
  const id = queueTargetId(source, feed.queue);
  const name = `queue:${feed.queue}`;
  const address = `${queueAddress}${feed.queue}`;
  let { position } = await log.register({ id, name, address, partition: 0 });
  const jobs = jobsOf(log, feed);
  const ticked = new Latch();
  term.ticked.add(ticked);
  try {
    while (!signal.aborted) {
      ticked.clear();
      for await (const page of readAhead(log.read(position, { pageEvents: limits.pageEvents, signal }))) {
        await feed.add(await jobs(page));
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

function jobsOf(log: ChangeLog, feed: QueueFeed): (page: readonly LoggedEvent[]) => Promise<QueueJob[]> {
  const tables = new Set(feed.tables);
  const schemas = new Map<string, TableSchema>();
  return async (page) => {
    const mine = page.filter((event) => tables.has(tableId(event.table)) && event.op !== "barrier");
    if (mine.some((event) => !schemas.has(event.schema))) {
      for (const schema of await log.schemas()) schemas.set(schema.fingerprint, schema);
    }
    return mine.map((event) => jobOf(event, schemas.get(event.schema)));
  };
}

function endOf(page: readonly LoggedEvent[]): Position {
  const last = page.at(-1)!;
  return positionOf(last.tick, last.ordinal);
}

/** The job of an event. Pure. */
export function jobOf(event: LoggedEvent, schema: TableSchema | undefined): QueueJob {
  const { op, key, image, before, tick, ordinal, table, transaction } = event;
  if (op === "barrier") throw new TypeError("a barrier is no job");
  const names = schema?.key ?? [];
  const keyOf = (text: string): Record<string, string> => {
    const cells = JSON.parse(text) as readonly string[];
    return Object.fromEntries(cells.map((cell, i) => [names[i] ?? `key${i + 1}`, cell]));
  };
  return {
    table: tableId(table),
    op,
    key: op === "truncate" ? {} : keyOf(key),
    ...(image === undefined ? {} : { row: rowOf(JSON.parse(image) as RowImage, schema) }),
    ...(before === undefined ? {} : { before: keyOf(before) }),
    position: positionOf(tick, ordinal),
    at: transaction.at,
  };
}

/** Cells by column name; what isn't known (unchanged TOAST, minimal row image) is left out. */
function rowOf(image: RowImage, schema: TableSchema | undefined): Record<string, string | null> {
  const row: Record<string, string | null> = {};
  for (const [i, cell] of image.entries()) {
    const name = schema?.columns[i]?.name;
    if (name !== undefined && cell !== 0) row[name] = cell;
  }
  return row;
}
