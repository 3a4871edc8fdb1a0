import { startLane } from "@lockstep/apply";
import type { LetterSchedule } from "@lockstep/core";
import type { JobWorkerSettings } from "@lockstep/jobs";
import { type ConfiguredTarget, type Running, type ServiceContext, targetsOf } from "@lockstep/runtime";
import { type ReadyNodes, readyNodes } from "./ready-nodes.js";
import { bullLetterSchedule, redisStreamReader, startLetterWorker } from "@lockstep/stream";

/** What only tests change. */
export interface ConsumerSettings {
  readonly jobs?: JobWorkerSettings;
}

/**
 * One lane per source, target and partition. Several consumers may run: a lane belongs to whichever process holds its lock in the
 * target; the others stand by and take over.
 */
export async function startConsumer(
  { config, logger }: ServiceContext,
  settings: ConsumerSettings = {},
): Promise<Running> {
  const targets = await targetsOf(config);
  const ready = await readyNodes({ config, logger });
  const running: Running[] = [];
  for (const source of Object.keys(config.sources)) {
    const mine = targets.filter((t) => t.sources.includes(source));
    running.push(await consumeSource(source, mine, { config, logger }, ready));
  }
  const jobs = await startJobs({ config, logger }, settings.jobs);
  return {
    done: Promise.all(running.map((r) => r.done)).then(() => undefined),
    async [Symbol.asyncDispose]() {
      await Promise.all([...running, ...jobs].map((r) => r[Symbol.asyncDispose]()));
      await Promise.all(targets.map((t) => t.target.close()));
    },
  };
}

/** Sources that this process may connect to have their jobs here. Loaded only then: what reads and writes a source costs memory. */
async function startJobs(
  context: ServiceContext,
  settings: JobWorkerSettings = {},
): Promise<AsyncDisposable[]> {
  const sources = Object.entries(context.config.sources).filter(([, { url }]) => url !== undefined);
  if (sources.length === 0) return [];
  const { startJobWorker } = await import("@lockstep/jobs");
  return Promise.all(sources.map(([source]) => startJobWorker(context, source, settings)));
}

async function consumeSource(
  source: string,
  targets: readonly ConfiguredTarget[],
  { config, logger }: ServiceContext,
  ready: ReadyNodes = () => Promise.resolve(),
): Promise<Running> {
  const { partitions, redis = config.redis } = config.sources[source]!;
  const retryByTable = Object.fromEntries(
    Object.entries(config.entities).map(([table, { retry = {} }]) => [table, retry]),
  );
  const schedule = bullLetterSchedule({ redis, source, logger });
  const worker = await startLetterWorker({
    redis,
    source,
    logger,
    markDue: (letter) => markDue(targets, letter, schedule),
  });
  const readers: ReturnType<typeof redisStreamReader>[] = [];
  const lanes: ReturnType<typeof startLane>[] = [];
  for (const { target, mapping, conflicts, twoWay } of targets) {
    for (let partition = 0; partition < partitions; partition++) {
      // A blocking read holds its connection: one reader per lane.
      const reader = redisStreamReader({ redis, source });
      readers.push(reader);
      lanes.push(
        startLane({
          source,
          partition,
          partitions,
          target,
          reader,
          ...(mapping === undefined ? {} : { mapping }),
          ...(conflicts === undefined ? {} : { conflicts }),
          ...(twoWay === undefined
            ? {}
            : { twoWay: { ...twoWay, prepare: () => ready(source, target.name) } }),
          schedule,
          retry: config.retry,
          retryByTable,
          limits: config.lanes,
          logger,
        }),
      );
    }
  }
  return {
    done: Promise.all(lanes.map((lane) => lane.done)).then(() => undefined),
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await Promise.all(lanes.map((lane) => lane[Symbol.asyncDispose]()));
      await Promise.all([schedule.close(), ...readers.map((reader) => reader.close())]);
    },
  };
}

// The job only says "due": the lane that owns the row writes it (PROTOCOL.md 14).
async function markDue(
  targets: readonly ConfiguredTarget[],
  letter: Parameters<Parameters<typeof startLetterWorker>[0]["markDue"]>[0],
  schedule: LetterSchedule,
) {
  const target = targets.find((t) => t.target.name === letter.target)?.target;
  if (target === undefined) return false;
  const marked = await target.letters.markDue(letter.letter, letter.attempt);
  if (marked) await schedule.nudge(letter);
  return marked;
}
