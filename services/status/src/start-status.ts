import type { Target } from "@lockstep/core";
import { type Running, type ServiceContext, targetsOf } from "@lockstep/runtime";
import { jobQueue, letterQueue, newClient, redisStatusReader, redisStreamReader } from "@lockstep/stream";
import type { LockstepConfig } from "@lockstep/config";
import { Queue } from "bullmq";
import type { JobDesk } from "@lockstep/jobs";
import type { StatusSource } from "./options.js";
import { createStatusServer } from "./server.js";

/** Redis commands give up before the page does, so that what is shown is Redis's own error. */
const commandTimeoutMs = 1500;

/** The status service as the configuration describes it. */
export async function startStatus({ config, logger }: ServiceContext): Promise<Running> {
  const targets = await targetsOf(config);
  const rooms = Object.entries(config.sources).map(([name, { redis = config.redis }]) =>
    openSource({
      name,
      redis,
      logger,
      desk: lazyDesk(config, name),
      targets: targets.filter((t) => t.sources.includes(name)).map((t) => t.target),
    }),
  );
  const { host, port, token, maskColumns } = config.status;
  const close = async () => {
    await Promise.allSettled(rooms.map((room) => room.close()));
    await Promise.allSettled(targets.map(({ target }) => target.close()));
  };
  try {
    const server = await createStatusServer({
      sources: rooms.map((room) => room.source),
      host,
      port,
      maskColumns,
      logger,
      ...(token === undefined ? {} : { token }),
    });
    logger.info({ url: server.url }, "listening");
    return {
      done: new Promise((resolve) => server.app.server.once("close", resolve)),
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface SourceRoom {
  readonly source: StatusSource;
  close(): Promise<void>;
}

function openSource({
  name,
  redis,
  targets,
  logger,
  desk,
}: {
  readonly name: string;
  readonly redis: string;
  readonly targets: readonly Target[];
  readonly logger: ServiceContext["logger"];
  readonly desk: LazyDesk | undefined;
}): SourceRoom {
  const link = { redis, source: name, logger, commandTimeoutMs };
  const reader = redisStatusReader(link);
  const stream = redisStreamReader(link);
  // Connecting already when the queue gets it: a queue that has to connect by itself stays rejected for good when Redis is away then.
  const connection = newClient(redis, { commandTimeout: commandTimeoutMs, lazyConnect: false });
  const queues = [letterQueue(name), jobQueue(name)].map(
    (queue) => new Queue(queue.name, { connection, prefix: queue.prefix, skipVersionCheck: true }),
  );
  // Redis being away is shown by the status; without a listener it would end the process.
  for (const queue of queues) queue.on("error", () => undefined);
  connection.on("error", () => undefined);
  return {
    source: {
      name,
      reader: {
        relay: () => reader.relay(),
        lanes: () => reader.lanes(),
        targets: () => reader.targets(),
        reads: () => reader.reads(),
        schema: (fingerprint) => stream.schema(fingerprint),
      },
      schedule: { nudge: (lane) => reader.nudge(lane) },
      targets,
      queues,
      ...(desk && { jobs: desk.open }),
    },
    async close() {
      await desk?.close();
      await Promise.all(queues.map((queue) => queue.close()));
      connection.disconnect();
      await Promise.all([reader.close(), stream.close()]);
    },
  };
}

interface LazyDesk {
  open(): Promise<JobDesk>;
  close(): Promise<void>;
}

/** What jobs need of a source's engine costs memory: it is loaded by the first question about them. */
function lazyDesk(config: LockstepConfig, source: string): LazyDesk | undefined {
  if (config.sources[source]!.url === undefined) return undefined;
  let opening: Promise<JobDesk> | undefined;
  return {
    open: () => (opening ??= import("@lockstep/jobs").then(({ openJobDesk }) => openJobDesk(config, source))),
    close: async () => (await opening)?.close(),
  };
}
