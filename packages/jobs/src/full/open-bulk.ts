import { mysqlBulkReader, postgresBulkReader } from "@lockstep/outbox";
import { redisStatusReader, type StreamStatusReader } from "@lockstep/stream";
import type { BulkRoom } from "@lockstep/sync";
import type { OpenSync } from "../open-sync.js";

/** The way past the stream; opened when it is first used, closed with the job's claim. */
type OpenBulk = Omit<BulkRoom, "partitions"> & AsyncDisposable;

/** On connections of its own. */
export function openBulk({ source, capture, redis }: OpenSync): OpenBulk {
  const reader =
    source.engine === "postgres"
      ? postgresBulkReader(source.connection, source.name, source.outbox)
      : mysqlBulkReader(source.connection);
  let lanes: StreamStatusReader | undefined;
  return {
    reader,
    readsLog: capture === "wal" || capture === "binlog",
    async nudge(lane) {
      lanes ??= redisStatusReader({ redis, source: source.name });
      await lanes.nudge({ ...lane, source: source.name });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([reader.close(), lanes?.close()]);
    },
  };
}
