import type { CaptureKind } from "@lockstep/core";
import { type BenchSource, type Engine, openSource } from "./capture/source.js";
import { percentile, type Spread, spreadOf } from "./spread.js";

/** How writes of one size with a capture compare to those without. The aims are set for the lower quartile. */
interface SizeRatio extends Spread {
  readonly lowerQuartile: number;
  /** How long the reader needed, after a round's last write, until it had read everything, ms: what it put off cost the writes nothing, and isn't saved. */
  readonly behindMs: Spread;
}

interface CaptureRatio {
  readonly single: SizeRatio;
  readonly bulk: SizeRatio;
}

/** The result of `npm run bench -- capture`. `triggerMariaDb` and `binlog` are on MariaDB, the others on PostgreSQL. */
export interface CaptureResult {
  readonly scenario: "capture";
  readonly rounds: number;
  readonly ratio: Readonly<Record<keyof typeof contenders, CaptureRatio>>;
}

const contenders = {
  subscriber: ["postgres", "subscriber"],
  trigger: ["postgres", "trigger"],
  wal: ["postgres", "wal"],
  triggerMariaDb: ["mariadb", "trigger"],
  binlog: ["mariadb", "binlog"],
} as const satisfies Readonly<Record<string, readonly [Engine, CaptureKind]>>;

/** Writes of a round: some tenths of a second, so that a reader that only lags doesn't look cheap. */
const times = { single: 1000, bulk: 200 } as const;

/**
 * Plain-SQL writes on the source with each capture ÷ without, the capture's reader running beside it on the same machine. Paired rounds: each has a
 * server of its own, and who goes first alternates.
 */
export async function benchCapture(
  rounds: number,
  say: (line: string) => void,
  share = 1,
): Promise<CaptureResult> {
  const ratio: Partial<Record<keyof typeof contenders, CaptureRatio>> = {};
  for (const [name, [engine, kind]] of Object.entries(contenders) as [
    keyof typeof contenders,
    (typeof contenders)[keyof typeof contenders],
  ][]) {
    await using bare = await openSource(engine);
    await using captured = await openSource(engine, kind);
    const figures = async (size: keyof typeof times): Promise<SizeRatio> => {
      const { ratios, behindMs } = await measure(bare, captured, size, { rounds, share });
      const lowerQuartile = percentile(ratios, 0.25);
      const spread = { ...spreadOf(ratios), lowerQuartile, behindMs: spreadOf(behindMs) };
      say(`${name}, ${size}: with ÷ without ${JSON.stringify(spread)}`);
      return spread;
    };
    ratio[name] = { single: await figures("single"), bulk: await figures("bulk") };
  }
  return { scenario: "capture", rounds, ratio: ratio as CaptureResult["ratio"] };
}

async function measure(
  bare: BenchSource,
  captured: BenchSource,
  size: keyof typeof times,
  { rounds, share }: { readonly rounds: number; readonly share: number },
): Promise<{ readonly ratios: readonly number[]; readonly behindMs: readonly number[] }> {
  const count = Math.max(3, Math.ceil(times[size] * share));
  const write = async (source: BenchSource) => {
    const start = performance.now();
    for (let n = 0; n < count; n++) await source[size](n);
    const taken = performance.now() - start;
    return { speed: count / taken, behindMs: await source.settled() };
  };
  // Plans are made, pages read, and the reader's code is compiled before anything counts: a relay runs for weeks, and some seconds until it runs as it will.
  for (let i = 0; i < 10 * share; i++) for (const source of [bare, captured]) await write(source);
  const ratios: number[] = [];
  const behindMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? [bare, captured] : [captured, bare];
    const done = new Map<BenchSource, Awaited<ReturnType<typeof write>>>();
    for (const source of order) done.set(source, await write(source));
    ratios.push(done.get(captured)!.speed / done.get(bare)!.speed);
    behindMs.push(done.get(captured)!.behindMs);
  }
  return { ratios, behindMs };
}
