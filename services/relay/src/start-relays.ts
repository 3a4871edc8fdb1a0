import type { LockstepConfig } from "@lockstep/config";
import { isLockstepError, LockstepError, type Logger } from "@lockstep/core";
import {
  captureOf,
  type CaptureSource,
  outboxWriterOf,
  refuseOtherCapture,
  runAtSource,
  sourceOfUrl,
  warnAtStart,
} from "@lockstep/publisher/capture";
import { isSwitchedOff, openQueues, startRelay } from "@lockstep/publisher/relay";
import type { Running, ServiceContext } from "@lockstep/runtime";
import { redisStreamWriter } from "@lockstep/stream";

/**
 * One relay per source that has a `url`. Several processes may run: one leads each source, the others stand by.
 * @throws LockstepError CONFIG_INVALID when no source has a `url`; CAPTURE_CHANGED when the targets of one follow another capture.
 */
export async function startRelays({ config, logger }: ServiceContext): Promise<Running> {
  const sources = Object.entries(config.sources).filter(([, { url }]) => url !== undefined);
  if (sources.length === 0) {
    throw new LockstepError("CONFIG_INVALID", "sources: the relay needs the url of at least one source");
  }
  for (const variable of ["LOCKSTEP_DISABLED", "LOCKSTEP_RELAY_DISABLED"] as const) {
    if (isSwitchedOff(variable))
      logger.warn(
        { variable },
        "this variable is for the publisher: this relay goes on; stop its process to stop it",
      );
  }
  const reached = sources.map(([name, settings]) => ({ settings, source: sourceOf(name, settings, logger) }));
  // All of them before the first is relayed: a relay of the wrong log would publish positions that mean nothing to the targets.
  await Promise.all(reached.map(({ source, settings }) => prepare(source, settings, logger)));
  const running = reached.map(({ source, settings }) => relaySource(source, settings, { config, logger }));
  return {
    done: Promise.all(running.map((r) => r.done)).then(() => undefined),
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((r) => r[Symbol.asyncDispose]()));
    },
  };
}

type SourceConfig = LockstepConfig["sources"][string];

function sourceOf(name: string, settings: SourceConfig, logger: Logger): CaptureSource {
  const { url = "", stateStore, outbox, foreignKeyActions, wal } = settings;
  // A source that holds nothing of ours is never connected to: its outbox is in the state store.
  return sourceOfUrl(stateStore ?? url, { name, outbox, logger, foreignKeyActions, wal });
}

/**
 * A source that isn't there yet, or has no outbox yet, is waited for by its relay, which looks again whenever it is about to lead. The outbox in a state store is made
 * here: no application does it.
 */
async function prepare(
  source: CaptureSource,
  { capture, stateStore }: SourceConfig,
  logger: Logger,
): Promise<void> {
  const writer = outboxWriterOf(source);
  try {
    await runAtSource(source, async (run) => {
      if (stateStore !== undefined) await writer.ensure(run);
      await refuseOtherCapture(writer, run, capture);
    });
  } catch (error) {
    if (isLockstepError(error, "CAPTURE_CHANGED")) throw error;
    logger.warn({ source: source.name }, "the source could not be asked how it is captured");
  }
}

function relaySource(
  whereabouts: CaptureSource,
  settings: SourceConfig,
  { config, logger }: ServiceContext,
): Running {
  const { partitions, redis = config.redis, capture, captureTables } = settings;
  const source = whereabouts.name;
  const log = captureOf(capture, whereabouts).changeLog();
  const stream = redisStreamWriter({ redis, source, logger });
  const queues = openQueues(
    { redis, logger },
    Object.entries(settings.queues).map(([table, queue]) => [queue, [table]]),
  );
  const relay = startRelay({
    log,
    stream,
    source,
    partitions,
    logger,
    queues: queues.feeds,
    limits: { drainTimeoutMs: Math.ceil(config.drainTimeoutMs * drainShare) },
  });
  // Not waited for: what it finds is said, and holds nothing up.
  void warnAtStart({ source: whereabouts, capture, redis, captureTables }, logger);
  return {
    done: relay.done,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      await Promise.allSettled([log.close(), stream.close(), queues.close()]);
    },
  };
}

/** Of the process's drain bound: what is left is for closing connections. */
const drainShare = 0.8;
