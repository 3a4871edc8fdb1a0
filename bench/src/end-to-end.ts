import { type BenchCapture, makeBacklog } from "./end-to-end/backlog.js";
import { contendersOf, drain } from "./end-to-end/drain.js";
import { type Latency, measureLatency } from "./end-to-end/latency.js";
import { watchMemory } from "./end-to-end/memory.js";
import { startRig, untilRegistered } from "./end-to-end/rig.js";
import { type Spread, spreadOf } from "./spread.js";

/** The result of `npm run bench -- end-to-end`. */
export interface EndToEndResult {
  readonly scenario: "end-to-end";
  readonly capture: BenchCapture;
  readonly events: number;
  readonly rowsPerTransaction: number;
  readonly rounds: number;
  /** Lockstep's rows per second ÷ native logical replication's, per round. */
  readonly ratioToNative: Spread;
  readonly eventsPerSecond: { readonly native: Spread; readonly lockstep: Spread };
  readonly latencyMs: Latency;
  readonly nativeLatencyMs: Latency;
  readonly rssMb: { readonly relay: number; readonly consumer: number };
}

/** How much is measured. */
interface EndToEndSizes {
  readonly rounds: number;
  readonly events: number;
  readonly rowsPerTransaction: number;
  readonly latencySeconds?: number;
  readonly capture?: BenchCapture;
}

/** Drains the same backlog through PostgreSQL's own logical replication and through Lockstep, in turns, then measures latency. */
export async function benchEndToEnd(
  { rounds, events, rowsPerTransaction, latencySeconds = 10, capture = "subscriber" }: EndToEndSizes,
  say: (line: string) => void,
): Promise<EndToEndResult> {
  await using rig = await startRig(capture);
  const { native, lockstep } = contendersOf(rig);
  // A first small backlog registers the target, makes its table, and warms both up.
  await untilRegistered(rig);
  const warm = await makeBacklog(rig, 2000, rowsPerTransaction);
  for (const contender of [lockstep, native]) await drain(contender, warm);
  const memory = watchMemory(rig.processes);
  const speeds = { native: [] as number[], lockstep: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    await native.hold();
    await lockstep.hold();
    const last = await makeBacklog(rig, events, rowsPerTransaction);
    await rig.source.query("CHECKPOINT");
    for (const contender of round % 2 === 0 ? [native, lockstep] : [lockstep, native]) {
      speeds[contender.name].push(events / (await drain(contender, last)));
      await contender.hold();
    }
    say(
      `round ${round + 1}: native ${Math.round(speeds.native[round]!)}/s, lockstep ${Math.round(speeds.lockstep[round]!)}/s`,
    );
  }
  const latencyMs = await measureLatency(lockstep, rig, { seconds: latencySeconds });
  await lockstep.hold();
  const nativeLatencyMs = await measureLatency(native, rig, { seconds: latencySeconds });
  return {
    scenario: "end-to-end",
    capture,
    events,
    rowsPerTransaction,
    rounds,
    ratioToNative: spreadOf(speeds.lockstep.map((speed, round) => speed / speeds.native[round]!)),
    eventsPerSecond: { native: spreadOf(speeds.native), lockstep: spreadOf(speeds.lockstep) },
    latencyMs,
    nativeLatencyMs,
    rssMb: memory.stop(),
  };
}
