import type { Logger, RegisteredTarget } from "@lockstep/core";
import { listTargets, type MysqlSession, type TableNames } from "@lockstep/outbox/mysql";
import { markFor, newestMark } from "./marks.js";

/** A target that is older than this part of the time for which the server keeps its log is warned of. */
const shareOfExpiry = 0.5;
const warnEveryMs = 10 * 60_000;

/** Says in time that the server is about to purge what a target needs. */
export interface PurgeWatch {
  look(session: MysqlSession): Promise<void>;
}

/** Nothing was said yet. */
export function watchForPurges(
  names: TableNames,
  { logger, source }: { readonly logger: Logger; readonly source: string },
): PurgeWatch {
  const saidAt = new Map<string, number>();
  return {
    async look(session) {
      const keptSeconds = await secondsKept(session);
      if (keptSeconds === undefined) return;
      for (const target of await listTargets(session, names)) {
        const age = await ageOf(session, names, target);
        const last = saidAt.get(target.id) ?? -Infinity;
        if (age <= keptSeconds * shareOfExpiry || performance.now() - last < warnEveryMs) continue;
        saidAt.set(target.id, performance.now());
        const { name, partition, position } = target;
        logger.warn(
          { source, target: name, partition, position, ageSeconds: age, keptSeconds },
          "a target lags so far that the server will soon purge the binlog it needs: keep the log longer, or remove the target",
        );
      }
    },
  };
}

/** How long the server keeps its log; `undefined`: for ever. */
async function secondsKept(session: MysqlSession): Promise<number | undefined> {
  const rows = await session.rows(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('binlog_expire_logs_seconds', 'expire_logs_days')",
  );
  const value = (name: string): number => Number(rows.find(([variable]) => variable === name)?.[1] ?? 0);
  const seconds = value("binlog_expire_logs_seconds") || value("expire_logs_days") * 86_400;
  return seconds > 0 ? seconds : undefined;
}

/** Seconds since the place in the log was passed that the target goes on from; 0 when it has everything. */
async function ageOf(
  session: MysqlSession,
  names: TableNames,
  { state, position }: RegisteredTarget,
): Promise<number> {
  if (state !== "following") return 0;
  const mark = await markFor(session, names, position);
  const newest = await newestMark(session, names);
  if (!mark || !newest || mark.boundary === newest.boundary) return 0;
  const [row] = await session.rows(
    `SELECT TIMESTAMPDIFF(SECOND, at, UTC_TIMESTAMP(6)) FROM ${names.logMark} WHERE n = ${mark.boundary}`,
  );
  return Number(row?.[0] ?? 0);
}
