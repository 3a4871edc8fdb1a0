import { type CaptureKind, type Finding, isLockstepError, LockstepError } from "@lockstep/core";
import { examineMysql, examinePostgres } from "@lockstep/outbox";
import { examineRedis } from "@lockstep/stream";
import type { ChosenSource } from "../choose-sources.js";

/** How long to watch for writes, and how. */
export interface Watch {
  readonly windowMs: number;
  readonly exact: boolean;
}

/** Everything the doctor finds about one source and its Redis. What can't be reached is a finding, not a failure. */
export async function examineSource(chosen: ChosenSource, watch: Watch): Promise<readonly Finding[]> {
  const [redis, database] = await Promise.all([
    orUnreachable("redis.reachable", "redis", () => examineRedis(chosen.redis)),
    orUnreachable("source.reachable", "source", () => examineDatabase(chosen, watch)),
  ]);
  return [...database, ...redis];
}

function examineDatabase({ source, settings }: ChosenSource, watch: Watch): Promise<readonly Finding[]> {
  const { capture } = settings;
  if (source.engine === "postgres") {
    const { schema } = source.outbox;
    const own = { connection: source.connection, capture: only(capture, ["subscriber", "trigger", "wal"]) };
    return examinePostgres({ ...own, ...watch, ...(schema !== undefined && { schema }) });
  }
  const { prefix } = source.outbox;
  const own = { connection: source.connection, capture: only(capture, ["subscriber", "trigger", "binlog"]) };
  return examineMysql({ ...own, windowMs: watch.windowMs, ...(prefix !== undefined && { prefix }) });
}

/** @throws LockstepError CONFIG_INVALID when the engine hasn't got this capture. */
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
