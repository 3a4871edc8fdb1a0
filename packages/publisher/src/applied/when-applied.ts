import { setTimeout as sleep } from "node:timers/promises";
import { liveLetterStates, LockstepError, type Target } from "@lockstep/core";
import { type Freshness, inTime, laneProgress, type LaneSource, untilItHas } from "@lockstep/reads";

/** The parts of a target that are asked whether it has something. */
export type AppliedTarget = Pick<Target, "name" | "checkpoints" | "letters" | "close">;

/** How long, and for what. */
export interface AppliedOptions {
  /** Default 5000. */
  readonly timeoutMs?: number;
  /** Rows that are looked for among the target's dead letters as well: their table (`namespace.name`, or its name) and the texts of their key. At most 100. Default: none. */
  readonly rows?: readonly { readonly table: string; readonly key: readonly unknown[] }[];
}

/**
 * `applied`: the target has all that was committed before the call. `set-aside`: it does, but for a row that was asked for, which lies in its dead letters. `timed-out`:
 * not yet; it will get there by itself.
 */
export type Applied = "applied" | "set-aside" | "timed-out";

const defaultTimeoutMs = 5_000;
const maxRows = 100;

/** Waits for targets by name. Closing it closes them. */
export function appliedIn(
  source: LaneSource,
  targets: readonly AppliedTarget[],
): { whenApplied(target: string, options?: AppliedOptions): Promise<Applied>; close(): Promise<void> } {
  const known = new Map(
    targets.map((target) => [target.name, { target, freshness: laneProgress(source, target) }]),
  );
  return {
    async whenApplied(name, { timeoutMs = defaultTimeoutMs, rows = [] } = {}) {
      checkTimeout(timeoutMs);
      const found = known.get(name);
      if (found === undefined) throw unknownTarget(name, [...known.keys()]);
      if (rows.length > maxRows) throw new LockstepError("CONFIG_INVALID", `rows: at most ${maxRows}`);
      const deadline = performance.now() + timeoutMs;
      if (!(await reached(found.freshness, deadline))) return "timed-out";
      // The target may have gone away meanwhile: then it isn't known.
      const asked = anySetAside(source.source, found.target, rows).catch(() => undefined);
      const isSetAside = await inTime(asked, deadline);
      return isSetAside === undefined ? "timed-out" : isSetAside ? "set-aside" : "applied";
    },
    close: async () => void (await Promise.all(targets.map((target) => target.close()))),
  };
}

const firstPauseMs = 10;
const maxPauseMs = 500;

/** No relay that cuts, no source or no target that answers: it is asked again until the time is over, as the change is safe in the source. */
async function reached(freshness: Freshness, deadline: number): Promise<boolean> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, maxPauseMs)) {
    const asked = freshness.mark().catch(() => undefined);
    const mark = await inTime(asked, deadline);
    if (mark !== undefined) return untilItHas(freshness, mark, deadline);
    if (performance.now() + pauseMs > deadline) return false;
    await sleep(pauseMs);
  }
}

async function anySetAside(
  source: string,
  { letters }: AppliedTarget,
  rows: NonNullable<AppliedOptions["rows"]>,
): Promise<boolean> {
  for (const { table, key } of rows) {
    const text = JSON.stringify(key.map(String));
    const page = await letters.list({ source, states: liveLetterStates, text }, { limit: 100 });
    if (page.letters.some((letter) => letter.key === text && isTable(letter.table, table))) return true;
  }
  return false;
}

function isTable(id: string, named: string): boolean {
  return id === named || id.endsWith(`.${named}`);
}

/** @throws LockstepError CONFIG_INVALID. */
export function checkTimeout(timeoutMs: number): void {
  if (Number.isFinite(timeoutMs) && timeoutMs >= 0) return;
  throw new LockstepError("CONFIG_INVALID", "timeoutMs must be a number of milliseconds");
}

/** The error of a target that can't be waited for. */
export function unknownTarget(name: string, known: readonly string[]): LockstepError {
  const list = known.length === 0 ? "none: give publishChanges its targets" : known.join(", ");
  return new LockstepError("CONFIG_INVALID", `there is no target "${name}"; known: ${list}`);
}
