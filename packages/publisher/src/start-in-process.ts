import { isLockstepError, type Logger } from "@lockstep/core";
import { redisStreamWriter } from "@lockstep/stream";
import type { SourceCapture } from "./capture/source-capture.js";
import { type PublishOptions, publishDefaults, type RelayChoice } from "./options.js";
import { openQueues, type RelayStatus, startRelay } from "./relay/index.js";
import { isSwitchedOff } from "./switches.js";

/** The relay of this process, if it runs one. Nothing is connected before `start`. */
export interface InProcessRelay extends AsyncDisposable {
  /** Resolves when it has ended; at once when it was never started and is disposed. */
  readonly done: Promise<void>;
  /** Starts it. `tablesOf` gives the ids of the tables behind an entity's name. A second call does nothing. */
  start(tablesOf: (entity: string) => readonly string[]): void;
  nudge(): void;
  status(): { readonly relay?: RelayStatus };
  /** Forgets a target in the source and in Redis; also where the relay runs elsewhere. */
  removeTarget(idOrName: string): Promise<number>;
}

type Running = ReturnType<typeof startRelay>;

/** Prepares the relay of this process. */
export function startInProcess(
  capture: Pick<SourceCapture, "changeLog">,
  source: string,
  options: PublishOptions,
  logger: Logger,
): InProcessRelay {
  const choice = relayChoice(options);
  let running: { readonly relay: Running; readonly close: () => Promise<unknown> } | undefined;
  let ended: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (ended = resolve));

  return {
    done,
    start(tablesOf) {
      if (choice === undefined || running) return;
      const log = capture.changeLog();
      const stream = redisStreamWriter({ redis: options.redis, source, logger });
      const wanted = Object.entries(options.queues ?? {});
      const queues = openQueues(
        { redis: options.redis, logger },
        wanted.map(([entity, queue]) => [queue, tablesOf(entity)]),
      );
      const relay = startRelay({
        log,
        stream,
        source,
        partitions: options.partitions ?? publishDefaults.partitions,
        limits: choice.limits ?? {},
        logger,
        queues: queues.feeds,
      });
      relay.done.then(ended, ended);
      const close = () => Promise.allSettled([log.close(), stream.close(), queues.close()]);
      running = { relay, close };
    },
    nudge: () => running?.relay.nudge(),
    status: () => (running ? { relay: running.relay.status() } : {}),
    removeTarget: (idOrName) => removeTarget(capture, source, options, logger, idOrName),
    async [Symbol.asyncDispose]() {
      const ending = running;
      if (ending === undefined) return ended();
      await ending.relay[Symbol.asyncDispose]();
      await ending.close();
    },
  };
}

/** How the relay of this process runs; `undefined` when it runs none. */
export function relayChoice({ relay = publishDefaults.relay }: PublishOptions): RelayChoice | undefined {
  if (relay === false || isSwitchedOff("LOCKSTEP_RELAY_DISABLED")) return undefined;
  return relay === true ? {} : relay;
}

async function removeTarget(
  capture: Pick<SourceCapture, "changeLog">,
  source: string,
  options: PublishOptions,
  logger: Logger,
  idOrName: string,
): Promise<number> {
  const log = capture.changeLog();
  const stream = redisStreamWriter({ redis: options.redis, source, logger });
  try {
    const gone = (await log.targets()).filter(({ id, name }) => id === idOrName || name === idOrName);
    const lanes = await log.removeTarget(idOrName);
    for (const id of new Set(gone.map((target) => target.id))) {
      // What Redis still holds of it expires or is refused; the source is what counts.
      await stream.forget({ id }).catch((error: unknown) => {
        if (!isLockstepError(error, "STREAM_UNAVAILABLE")) throw error;
        logger.warn({ target: id, error }, "target removed from the source but not from redis");
      });
    }
    return lanes;
  } finally {
    await Promise.allSettled([log.close(), stream.close()]);
  }
}
