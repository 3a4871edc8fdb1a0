import {
  type Checkpoint,
  comparePositions,
  type LaneReport,
  type Position,
  type RelayReport,
  startPosition,
  type TransactionHeader,
} from "@lockstep/core";
import type { LaneRoom } from "../life/lane-room.js";
import type { Phase } from "../life/phase.js";
import type { Ledger } from "../write/ledger.js";
import { ConflictCounts } from "../write/guard/conflict-counts.js";
import { LatencyRing } from "./latency-ring.js";
import { Rate } from "./rate.js";

/** Who a status is about. */
export interface LaneIdentity {
  readonly source: string;
  readonly target: string;
  readonly partition: number;
  readonly owner: string;
}

type LaneError = LaneReport["lastErrors"][number];

const keptErrors = 10;
const samplesPerBatch = 64;
const stalledMs = 30_000;

/** What a lane knows of itself; {@link report} makes it public. Holds identifiers and counts, never row values. */
export class LaneStatus {
  phase: Phase = { name: "standing-by" };
  targetId = "";
  checkpoint: Checkpoint | undefined;
  letters: Readonly<Record<string, number>> = {};
  /** Commit time of the oldest transaction read and not applied, by the source's clock. */
  oldestAt: () => number | undefined = () => undefined;
  /** What the relay last said; absent when it has been silent. */
  relay: RelayReport | undefined;
  readonly #latency = new LatencyRing();
  readonly #rate: Rate;
  #errors: LaneError[] = [];
  #errorCount = 0;
  readonly #conflicts = new ConflictCounts();
  #caughtUpAt: number;
  #progressAt: number;

  constructor(
    private readonly identity: LaneIdentity,
    private readonly clocks: Pick<LaneRoom, "now" | "elapsed">,
  ) {
    const { elapsed } = clocks;
    this.#rate = new Rate(elapsed);
    this.#caughtUpAt = elapsed();
    this.#progressAt = elapsed();
  }

  /** A step has committed. */
  applied(checkpoint: Checkpoint, rows: number, transactions: readonly TransactionHeader[]): void {
    const now = this.clocks.now();
    this.checkpoint = checkpoint;
    this.#progressAt = this.clocks.elapsed();
    this.#rate.add(rows);
    const stride = Math.max(1, Math.ceil(transactions.length / samplesPerBatch));
    for (let i = 0; i < transactions.length; i += stride)
      this.#latency.add(Math.max(0, now - transactions[i]!.at));
  }

  /** Rows were refused. */
  refused({ errors }: Ledger): void {
    if (errors.length === 0) return;
    this.#errorCount += errors.length;
    this.#errors = [...errors.slice(-keptErrors).toReversed(), ...this.#errors].slice(0, keptErrors);
  }

  /** Conflicts were decided. */
  decided({ conflicts }: Ledger): void {
    for (const one of conflicts.list()) this.#conflicts.add(one, one.count);
  }

  /** The lane as a whole failed. An outage, tried again and again, is one line: it must not push the rows' errors out. */
  failed(code: string): void {
    this.#errorCount++;
    const [newest, ...older] = this.#errors;
    const rest = newest === undefined || newest.table !== null || newest.code !== code ? this.#errors : older;
    this.#errors = [{ table: null, key: null, code, at: this.clocks.now() }, ...rest].slice(0, keptErrors);
  }

  report(): LaneReport {
    const { now, elapsed } = this.clocks;
    const { checkpoint } = this;
    const total = checkpoint?.total ?? 0;
    const { lagMs, eventsBehind } = this.#distance(checkpoint?.position ?? startPosition, total);
    const conflicts = this.#conflicts.list();
    const overdue = (lagMs ?? 0) > stalledMs && elapsed() - this.#progressAt > stalledMs;
    return {
      ...this.identity,
      ...stateOf(this.phase, overdue),
      targetId: this.targetId,
      at: now(),
      position: checkpoint?.position ?? startPosition,
      total,
      lagMs,
      eventsBehind,
      rowsPerSecond: this.#rate.perSecond(),
      latencyMs: this.#latency.quantiles(),
      ...(checkpoint?.lastSyncAt === undefined ? {} : { lastSyncAt: checkpoint.lastSyncAt }),
      recordsSynced: checkpoint?.recordsSynced ?? 0,
      errorCount: this.#errorCount,
      letters: this.letters,
      lastErrors: this.#errors,
      ...(conflicts.length === 0 ? {} : { conflicts }),
      seeded: checkpoint?.seeded ?? false,
    };
  }

  /** How far behind. While the relay is silent nobody knows what waits in the source: that is not 0. */
  #distance(position: Position, total: number): Pick<LaneReport, "lagMs" | "eventsBehind"> {
    const { now, elapsed } = this.clocks;
    const { relay } = this;
    const behind = relay !== undefined && comparePositions(relay.published, position) > 0;
    const oldest = this.oldestAt();
    if (relay !== undefined && !behind && oldest === undefined) this.#caughtUpAt = elapsed();
    const eventsBehind = behind ? Math.max(0, relay.total - total) : 0;
    if (oldest !== undefined) {
      return {
        lagMs: Math.max(0, Math.round(now() - oldest)),
        eventsBehind: relay === undefined ? null : eventsBehind,
      };
    }
    if (relay === undefined) return { lagMs: null, eventsBehind: null };
    return { lagMs: behind ? Math.round(elapsed() - this.#caughtUpAt) : 0, eventsBehind };
  }
}

function stateOf(phase: Phase, overdue: boolean): Pick<LaneReport, "state" | "reason"> {
  const reason = "reason" in phase && phase.reason ? { reason: phase.reason } : {};
  switch (phase.name) {
    case "standing-by":
    case "registering":
      return { state: "starting", ...reason };
    case "running":
    case "catching-up":
      return { state: overdue ? "stalled" : phase.name, ...reason };
    case "paused":
    case "halted":
      return { state: phase.name, ...reason };
    default:
      return phase satisfies never;
  }
}
