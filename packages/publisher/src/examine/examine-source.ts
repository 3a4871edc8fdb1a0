import { type CaptureKind, type Finding, isLockstepError, LockstepError } from "@lockstep/core";
import { examineMysql, examinePostgres } from "@lockstep/outbox";
import { examineRedis, type RedisConnection } from "@lockstep/stream";
import type { CaptureSource } from "../capture/source-capture.js";
import { examinePlan } from "./examine-plan.js";
import { watchBinlog } from "./watch-binlog.js";

/** A source, how it is captured, and the Redis that its changes go to. */
export interface Examined {
  readonly source: CaptureSource;
  readonly capture: CaptureKind;
  readonly redis: RedisConnection;
  /** Tables that are meant to be captured, as `name` or `namespace.name`, beside those that the outbox knows. Default: none. */
  readonly captureTables?: readonly string[];
  /** This process has just installed the capture, and said what is wrong with it: that isn't looked at again. Default false. */
  readonly isInstalledHere?: boolean;
}

/** How long to watch for writes, and how: `exact` counts transactions one by one, by triggers (PostgreSQL) or from the binlog. */
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
    orUnreachable("source.reachable", "source", async () => [
      ...(await examinePlan(examined)),
      ...(await examineDatabase(examined, watch)),
    ]),
  ]);
  return [...database, ...redis];
}

async function examineDatabase({ source, capture }: Examined, watch: Watch): Promise<readonly Finding[]> {
  if (source.engine === "postgres") {
    const own = { connection: source.connection, capture: only(capture, ["subscriber", "trigger", "wal"]) };
    return examinePostgres({ ...own, ...watch, ...source.outbox });
  }
  const kind = only(capture, ["subscriber", "trigger", "binlog"]);
  const isByLog = watch.exact || kind === "binlog";
  const findings = await examineMysql({
    connection: source.connection,
    capture: kind,
    windowMs: isByLog ? 0 : watch.windowMs,
    ...source.outbox,
  });
  if (!isByLog || watch.windowMs === 0) return findings;
  return [...findings, ...(await watchBinlog(source, kind, watch.windowMs))];
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
