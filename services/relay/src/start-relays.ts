import type { LockstepConfig } from "@lockstep/config";
import { LockstepError } from "@lockstep/core";
import { captureOf, sourceOfUrl, warnAtStart } from "@lockstep/publisher/capture";
import { openQueues, startRelay } from "@lockstep/publisher/relay";
import type { Running, ServiceContext } from "@lockstep/runtime";
import { redisStreamWriter } from "@lockstep/stream";

/**
 * One relay per source that has a `url`. Several processes may run: one leads each source, the others stand by.
 * @throws LockstepError CONFIG_INVALID when no source has a `url`.
 */
export async function startRelays({ config, logger }: ServiceContext): Promise<Running> {
  const sources = Object.entries(config.sources).filter(([, { url }]) => url !== undefined);
  if (sources.length === 0) {
    throw new LockstepError("CONFIG_INVALID", "sources: the relay needs the url of at least one source");
  }
  const running = sources.map(([name, source]) => relaySource(name, source, { config, logger }));
  return {
    done: Promise.all(running.map((r) => r.done)).then(() => undefined),
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((r) => r[Symbol.asyncDispose]()));
    },
  };
}

type SourceConfig = LockstepConfig["sources"][string];

function relaySource(source: string, settings: SourceConfig, { config, logger }: ServiceContext): Running {
  const { partitions, redis = config.redis, url = "", outbox, wal } = settings;
  const { capture, captureTables, foreignKeyActions } = settings;
  const whereabouts = sourceOfUrl(url, { name: source, outbox, logger, foreignKeyActions, wal });
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
