import type { LaneReport, RelayReport } from "@lockstep/core";
import { redisStatusReader } from "@lockstep/stream";
import { eventually } from "@lockstep/testing";

/** What the relay and the lanes say of themselves. */
export interface Reports {
  readonly relay: RelayReport | undefined;
  readonly lanes: readonly LaneReport[];
}

/** Reads the reports that the status service shows too. */
export class Watch {
  readonly #reader;

  constructor(redis: string, source: string) {
    this.#reader = redisStatusReader({ redis, source });
  }

  async read(): Promise<Reports> {
    const [relay, lanes] = await Promise.all([this.#reader.relay(), this.#reader.lanes()]);
    return { relay, lanes };
  }

  /** Waits until `lanes` lanes have applied everything that was committed before now and no letter is still being retried. */
  async untilCaughtUp(lanes: number, timeoutMs: number): Promise<Reports> {
    const since = Date.now();
    const probe = async () => {
      const reports = await this.read();
      return reports.lanes.length >= lanes && isCaughtUp(reports, since) ? reports : undefined;
    };
    return eventually(probe, { what: "targets that have caught up", timeoutMs, intervalMs: 200 });
  }

  /** Waits until `lanes` lanes are registered and running. */
  async untilLanesRun(lanes: number, timeoutMs: number): Promise<void> {
    const probe = async () =>
      (await this.read()).lanes.filter((lane) => lane.state === "running").length >= lanes;
    await eventually(probe, { what: `${lanes} running lanes`, timeoutMs, intervalMs: 100 });
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

function isCaughtUp({ relay, lanes }: Reports, since: number): boolean {
  // A report from well after the last commit: whatever was committed is cut and published by then.
  if (relay === undefined || relay.at < since + 1000) return false;
  return lanes.every(
    ({ position, letters }) => position === relay.published && !letters["retrying"] && !letters["due"],
  );
}

/** One line for a person. */
export function progressLine(seconds: number, { relay, lanes }: Reports, previousTotal: number): string {
  const total = relay?.total ?? 0;
  const lags = lanes.map(({ target, state, lagMs }) => {
    const lag = lagMs === null ? "unknown" : `${Math.round(lagMs)} ms`;
    return `${target} ${state === "running" ? lag : state}`;
  });
  const letters = lanes.reduce((sum, lane) => sum + live(lane), 0);
  return `progress ${String(seconds).padStart(3)}s  ${total} events  ${total - previousTotal} events/s  lag: ${lags.join(", ") || "no lanes yet"}  dead letters: ${letters}`;
}

/** Letters of a lane that stand for a difference. */
export function live(lane: LaneReport): number {
  return ["retrying", "due", "waiting", "dead"].reduce((sum, state) => sum + (lane.letters[state] ?? 0), 0);
}
