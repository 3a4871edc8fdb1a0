import {
  encodeEntry,
  LockstepError,
  parsePosition,
  splitPosition,
  type Changes,
  type Feed,
  type FeedHead,
  type Position,
  type StreamEntry,
  type StreamWriter,
  type TargetAnnouncement,
} from "@lockstep/core";
import { freshForMs, listFresh } from "./fresh-records.js";
import { keysOf, laneField } from "./keys.js";
import { openLink, type LinkOptions, type RedisClient } from "./redis-link.js";
import { appendScript, beginScript, headScript } from "./scripts/append.js";
import { forgetScript } from "./scripts/fresh.js";
import { runLargeScript } from "./scripts/large-script.js";
import { ReusedMemory } from "./scripts/reused-memory.js";
import { runScript } from "./scripts/script.js";
import { subscribe } from "./subscription.js";

/** Settings of {@link redisStreamWriter}. */
export interface StreamWriterOptions extends LinkOptions {
  /** Name of the source; part of every key. */
  readonly source: string;
  /** Entries are sent to Redis in calls of about this many bytes, so that no call keeps Redis busy for long. Default 1 MiB. */
  readonly maxCallBytes?: number;
}

const defaultMaxCallBytes = 1024 * 1024;
/** Memory is kept for as many calls: what a relay reads at a time is no more. */
const callsAtOnce = 4;

/** The relay's side of Redis. Opens a connection of its own (a second one for wake-ups) and closes both. */
export function redisStreamWriter(options: StreamWriterOptions): StreamWriter {
  const keys = keysOf(options.source);
  const link = openLink(options);
  const maxCallBytes = options.maxCallBytes ?? defaultMaxCallBytes;
  const memory = new ReusedMemory(callsAtOnce * maxCallBytes);
  const wakes = subscribe(options, keys.wake);
  const feedKeys = (feed: Feed): readonly [string, string] => [keys.feed(feed), keys.epoch(feed)];
  return {
    async head(feed) {
      return link.call(async (client) => headOf(await runScript(client, headScript, feedKeys(feed), [])));
    },
    async begin(feed, { at, epoch, incarnation }) {
      await link.call((client) => runScript(client, beginScript, feedKeys(feed), [at, epoch, incarnation]));
    },
    async append(feed, epoch, entries) {
      const call = { script: appendScript, keys: feedKeys(feed), harmless: [epoch], memory };
      // Sent without waiting for each other: after a refusal the chain refuses whatever follows.
      const sent = await link.call((client) =>
        Promise.allSettled(
          callsOf(entries, maxCallBytes).map((parameters) =>
            runLargeScript(client, call, [epoch, ...parameters]),
          ),
        ),
      );
      await link.call(async () => {
        for (const call of sent) {
          if (call.status === "rejected") throw call.reason;
          refuseGap(feed, call.value);
        }
      });
    },
    async trim(feed, through) {
      await link.call((client) => client.call("xtrim", keys.feed(feed), "MINID", "=", justAfter(through)));
    },
    async remove(feed) {
      await link.call((client) => client.call("unlink", ...feedKeys(feed)));
    },
    async publishSchemas(schemas) {
      if (schemas.length === 0) return;
      const fields = schemas.flatMap((s) => [s.fingerprint, JSON.stringify(s)]);
      await link.call((client) => client.call("hset", keys.schemas, ...fields));
    },
    acks: (partition) => link.call((client) => positionsIn(client, keys.acks(partition))),
    catchUps: (partition) => link.call((client) => positionsIn(client, keys.catchUps(partition))),
    announcements: () => link.call((client) => listFresh<TargetAnnouncement>(client, keys.targets)),
    async confirm(target, confirmation) {
      const text = JSON.stringify(confirmation);
      await link.call((client) => client.call("hset", keys.confirmations, laneField(target), text));
    },
    async forget({ id }) {
      await link.call(async (client) => {
        const hashes = [keys.targets, keys.confirmations, keys.lanes];
        const partitions = (await runScript(client, forgetScript, hashes, [id])) as string[];
        for (const partition of partitions.map(Number)) {
          await client.call("hdel", keys.acks(partition), id);
          await client.call("hdel", keys.catchUps(partition), id);
          await client.call("unlink", ...feedKeys({ partition, target: id }));
        }
      });
    },
    async report(report) {
      const text = JSON.stringify(report);
      await link.call((client) => client.call("set", keys.relay, text, "PX", freshForMs));
    },
    onWake: (wake) => void wakes.listen(wake),
    async close() {
      wakes.close();
      link.close();
    },
  };
}

function headOf(reply: unknown): FeedHead | undefined {
  if (reply === null) return undefined;
  const [epoch, incarnation, last, length, total] = reply as [string, string, string, number, string | null];
  const head = { epoch, incarnation, last: parsePosition(last), length };
  return total === null ? head : { ...head, total: Number(total) };
}

/** Groups entries into the parameters of one call each: at least one entry, at most about `maxBytes`. */
function callsOf(entries: readonly StreamEntry<Changes>[], maxBytes: number): string[][] {
  const calls: string[][] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    const { envelope, rows } = encodeEntry(entry);
    if (bytes + rows.length > maxBytes) {
      calls.push([]);
      bytes = 0;
    }
    calls.at(-1)!.push(entry.id, entry.previous, envelope, rows);
    bytes += rows.length + envelope.length;
  }
  return calls;
}

function refuseGap(feed: Feed, reply: unknown): void {
  const [, refusal, last] = reply as [number, string, string];
  if (refusal === "") return;
  throw new LockstepError("STREAM_GAP", `the stream refuses what follows ${last || "nothing"}`, {
    details: { partition: feed.partition, target: feed.target, refusal },
  });
}

async function positionsIn(client: RedisClient, key: string): Promise<ReadonlyMap<string, Position>> {
  // ioredis turns this reply, and only such ones, into an object.
  const fields = Object.entries((await client.call("hgetall", key)) as Record<string, string>);
  return new Map(fields.map(([target, position]) => [target, parsePosition(position)]));
}

/** XTRIM MINID keeps its argument; the id after `through` removes `through` itself. */
function justAfter(through: Position): string {
  const { tick, n } = splitPosition(through);
  return n === 18446744073709551615n ? `${tick + 1n}-0` : `${tick}-${n + 1n}`;
}
