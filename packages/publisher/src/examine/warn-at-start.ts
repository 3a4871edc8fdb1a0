import { isLockstepError, type Logger } from "@lockstep/core";
import { examineSource, type Examined } from "./examine-source.js";

/** What a relay that runs notices, and tells, by itself; tables that are left out on purpose; what is so by nature; and what is only comfort: a Redis that forgets loses nothing. */
const silent = new Set([
  "source.reachable",
  "redis.reachable",
  "capture.tables",
  "capture.truncate",
  "redis.persistence",
]);

/**
 * Runs the doctor's checks once beside a relay that starts, and warns of what weakens a promise. Never throws and holds nothing up:
 * a source that is away now is looked at again at the next start.
 */
export async function warnAtStart(examined: Examined, logger: Logger): Promise<void> {
  try {
    for (const { check, level, subject, message, advice } of await examineSource(examined)) {
      if (level === "ok" || silent.has(check) || told(examined, check)) continue;
      logger.warn({ source: examined.source.name, check, subject, advice }, message);
    }
  } catch (error) {
    logger.warn(
      { source: examined.source.name, code: isLockstepError(error) ? error.code : "unknown" },
      "the checks at start could not be run",
    );
  }
}

/** MySQL's log warns of it itself, at the first tick of each process. */
function told({ source }: Examined, check: string): boolean {
  return source.engine === "mysql" && check === "source.durability";
}
