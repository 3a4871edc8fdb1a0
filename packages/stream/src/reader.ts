import {
  LockstepError,
  type Feed,
  type RelayReport,
  type StreamReader,
  type TableSchema,
  type TargetConfirmation,
} from "@lockstep/core";
import { feedConnection, type FeedConnection } from "./feed-connection.js";
import { keysOf, laneField } from "./keys.js";
import { openLink, type LinkOptions } from "./redis-link.js";
import { acknowledgeScript, putFreshScript, putWishScript } from "./scripts/fresh.js";
import { runScript } from "./scripts/script.js";

/** Settings of {@link redisStreamReader}. */
export interface StreamReaderOptions extends LinkOptions {
  /** Name of the source; part of every key. */
  readonly source: string;
  /** An acknowledgement wakes the relay at most once in this time, per reader, ms. Default 100. */
  readonly wakeEveryMs?: number;
}

/**
 * The consumer's side of Redis. One connection for commands and one per feed that is read, because a read blocks its connection.
 * `read` answers an empty array when its signal aborts, and throws STREAM_GAP when what follows is already trimmed.
 */
export function redisStreamReader(options: StreamReaderOptions): StreamReader {
  const keys = keysOf(options.source);
  const link = openLink(options);
  const feeds = new Map<string, FeedConnection>();
  const schemas = new Map<string, TableSchema>();
  const mayWake = atMostEvery(options.wakeEveryMs ?? 100);
  const connectionOf = (feed: Feed): FeedConnection => {
    const stream = keys.feed(feed);
    let connection = feeds.get(stream);
    if (connection === undefined) {
      connection = feedConnection(options.redis, options.commandTimeoutMs ?? 5_000);
      feeds.set(stream, connection);
    }
    return connection;
  };
  return {
    read: (feed, after, read) => connectionOf(feed).read({ ...read, after, stream: keys.feed(feed) }),
    async schema(fingerprint) {
      const known = schemas.get(fingerprint);
      if (known !== undefined) return known;
      const text = await link.call((client) => client.call("hget", keys.schemas, fingerprint));
      if (typeof text !== "string") {
        throw new LockstepError("STREAM_SCHEMA_UNKNOWN", `no schema ${fingerprint} in the stream`);
      }
      const schema = JSON.parse(text) as TableSchema;
      schemas.set(fingerprint, schema);
      return schema;
    },
    async acknowledge(partition, target, position) {
      await link.call(async (client) => {
        const hashes = [keys.acks(partition), keys.catchUps(partition)];
        await runScript(client, acknowledgeScript, hashes, [target, position]);
        if (mayWake()) await client.call("publish", keys.wake, "");
      });
    },
    async announce(target) {
      const { id, name, address, partition } = target;
      const text = JSON.stringify({ id, name, address, partition });
      const hashes = [keys.targets, keys.confirmations];
      await link.call((client) =>
        runScript(client, putFreshScript, hashes, [laneField(target), text, keys.wake]),
      );
    },
    async confirmation(target) {
      const text = await link.call((client) => client.call("hget", keys.confirmations, laneField(target)));
      return typeof text === "string" ? (JSON.parse(text) as TargetConfirmation) : undefined;
    },
    async requestCatchUp(partition, target, after) {
      const parameters = [target, after ?? "", keys.wake];
      await link.call((client) => runScript(client, putWishScript, [keys.catchUps(partition)], parameters));
    },
    async relay() {
      const text = await link.call((client) => client.call("get", keys.relay));
      return typeof text === "string" ? (JSON.parse(text) as RelayReport) : undefined;
    },
    async report(lane) {
      const field = laneField({ id: lane.targetId, partition: lane.partition });
      await link.call((client) =>
        runScript(client, putFreshScript, [keys.lanes], [field, JSON.stringify(lane), ""]),
      );
    },
    async close() {
      for (const connection of feeds.values()) connection.close();
      link.close();
    },
  };
}

function atMostEvery(ms: number): () => boolean {
  let last = -Infinity;
  return () => {
    const now = performance.now();
    if (now - last < ms) return false;
    last = now;
    return true;
  };
}
