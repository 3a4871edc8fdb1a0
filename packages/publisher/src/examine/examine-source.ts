import { type CaptureKind, type Finding, isLockstepError, LockstepError } from "@lockstep/core";
import { examineMysql, examinePostgres } from "@lockstep/outbox";
import { examineRedis, type RedisConnection } from "@lockstep/stream";
import type { CaptureSource } from "../capture/source-capture.js";

/** A source, how it is captured, and the Redis that its changes go to. */
export interface Examined {
  readonly source: CaptureSource;
  readonly capture: CaptureKind;
  readonly redis: RedisConnection;
}

/** How long to watch for writes, and how: as in `examinePostgres` and `examineMysql`. */
export interface Watch {
  readonly windowMs: number;
  readonly exact: boolean;
}

/**
 * Everything that is found about one source and its Redis. What can't be reached is a finding, not a failure.
 * @throws LockstepError CONFIG_INVALID when the engine hasn't got this capture, or the window is too long.
 */
export async function examineSource(
  examined: Examined,
  watch: Watch = { windowMs: 0, exact: false },
): Promise<readonly Finding[]> {
  const [redis, database] = await Promise.all([
    orUnreachable("redis.reachable", "redis", () => examineRedis(examined.redis)),
    orUnreachable("source.reachable", "source", () => examineDatabase(examined, watch)),
  ]);
  return [...database, ...redis];
}

async function examineDatabase({ source, capture }: Examined, watch: Watch): Promise<readonly Finding[]> {
  if (source.engine === "postgres") {
    const { schema } = source.outbox;
    const own = { connection: source.connection, capture: only(capture, ["subscriber", "trigger", "wal"]) };
    return examinePostgres({ ...own, ...watch, ...(schema !== undefined && { schema }) });
  }
  const { prefix } = source.outbox;
  const own = { connection: source.connection, capture: only(capture, ["subscriber", "trigger", "binlog"]) };
  return examineMysql({ ...own, windowMs: watch.windowMs, ...(prefix !== undefined && { prefix }) });
}

function only<K extends CaptureKind>(capture: CaptureKind, kinds: readonly K[]): K {
  const kind = kinds.find((k) => k === capture);
  if (kind !== undefined) return kind;
  throw new LockstepError(
    "CONFIG_INVALID",
    `capture: "${capture}" is not for this database: ${kinds.join(", ")}`,
  );
}

async function orUnreachable(
  check: string,
  subject: string,
  examine: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await examine();
  } catch (error) {
    if (!isLockstepError(error) || error.code === "CONFIG_INVALID") throw error;
    return [{ check, level: "error", subject, message: error.message.split(" [")[0]!, advice: error.hint }];
  }
}
