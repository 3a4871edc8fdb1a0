import { isLockstepError, LockstepError, type Logger } from "@lockstep/core";
import {
  Cluster,
  type Command,
  Redis,
  type ClusterNode,
  type ClusterOptions,
  type RedisOptions,
} from "ioredis";

/** How to reach Redis: a URL, ioredis options, or the nodes of a Redis Cluster. */
export type RedisConnection = string | RedisOptions | RedisClusterConnection;

/** A Redis Cluster: some of its nodes (the others are found) and ioredis' cluster options. */
export interface RedisClusterConnection {
  readonly nodes: readonly ClusterNode[];
  readonly options?: ClusterOptions;
}

/** The part of ioredis' `Redis` and `Cluster` that the stream uses. */
export interface RedisClient {
  readonly status: string;
  readonly options: { readonly keyPrefix?: string | undefined };
  call(command: string, ...parameters: (string | Buffer | number)[]): Promise<unknown>;
  sendCommand(command: Command): unknown;
  connect(): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  on(event: string, listener: (...values: unknown[]) => void): unknown;
  off(event: string, listener: (...values: unknown[]) => void): unknown;
}

/** Settings of a link. */
export interface LinkOptions {
  readonly redis: RedisConnection;
  readonly logger?: Logger;
  /** How long one command may take, and how long a command waits for the connection, ms. Default 5000. */
  readonly commandTimeoutMs?: number;
}

/** One connection (or cluster of them) that reconnects for ever and whose calls end in bounded time. */
export interface RedisLink {
  /**
   * Runs `work` when the connection is up.
   * @throws LockstepError STREAM_UNAVAILABLE when Redis can't be reached in time or refuses the command.
   */
  call<T>(work: (client: RedisClient) => Promise<T>): Promise<T>;
  readonly client: RedisClient;
  /** Ends the connection at once; calls in flight fail. */
  close(): void;
}

const defaultTimeoutMs = 5_000;

/** Opens a link; connects at the first call. */
export function openLink(options: LinkOptions): RedisLink {
  const timeoutMs = options.commandTimeoutMs ?? defaultTimeoutMs;
  const client = newClient(options.redis, { commandTimeout: timeoutMs });
  logErrors(client, options.logger);
  return {
    client,
    async call(work) {
      try {
        await becomesReady(client, timeoutMs);
        return await work(client);
      } catch (error) {
        // No answer in time: the connection may be half open, and then it stays so until the kernel gives up, minutes later.
        if (error instanceof Error && error.message === "Command timed out") client.disconnect(true);
        throw isLockstepError(error) ? error : unavailable(error);
      }
    },
    close: () => client.disconnect(),
  };
}

/** An ioredis client that connects when asked to, keeps no offline queue and reconnects for ever. */
export function newClient(redis: RedisConnection, extra: RedisOptions = {}): Redis | Cluster {
  const shared: RedisOptions = {
    lazyConnect: true,
    // A command queued while Redis is away would land at an unknown later moment; the caller retries instead.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    retryStrategy: reconnectDelayMs,
    // After a fail-over a connection may still point to the demoted server.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    ...extra,
  };
  if (typeof redis === "string") return new Redis(redis, shared);
  if (!isCluster(redis)) return new Redis({ ...redis, ...shared });
  const { retryStrategy: _, lazyConnect, enableOfflineQueue, ...redisOptions } = shared;
  return new Cluster([...redis.nodes], {
    ...redis.options,
    lazyConnect: lazyConnect === true,
    enableOfflineQueue: enableOfflineQueue === true,
    clusterRetryStrategy: reconnectDelayMs,
    redisOptions: { ...redis.options?.redisOptions, ...redisOptions },
  });
}

/** True for the nodes of a cluster. */
function isCluster(redis: RedisConnection): redis is RedisClusterConnection {
  return typeof redis === "object" && "nodes" in redis && Array.isArray(redis.nodes);
}

function reconnectDelayMs(times: number): number {
  return Math.min(2_000, 25 * 2 ** Math.min(times, 10)) * (1 - 0.5 * Math.random());
}

/** Waits, at most `timeoutMs`, until the client's connection is up. */
export async function becomesReady(client: RedisClient, timeoutMs: number): Promise<void> {
  if (client.status === "ready") return;
  // A failed first connect is followed by retries; only the time-out below gives up.
  if (client.status === "wait") client.connect().catch(() => undefined);
  const outcome = await firstOf(client, timeoutMs);
  if (outcome !== "ready") throw new Error(outcome === "end" ? "connection closed" : "not connected");
}

/** Which comes first: the connection is up, it was closed for good, or time is up. */
async function firstOf(client: RedisClient, timeoutMs: number): Promise<"ready" | "end" | "late"> {
  if (client.status === "end") return "end";
  return new Promise((resolve) => {
    const settle = (outcome: "ready" | "end" | "late"): void => {
      clearTimeout(timer);
      client.off("ready", ready);
      client.off("end", end);
      resolve(outcome);
    };
    const ready = (): void => settle("ready");
    const end = (): void => settle("end");
    const timer = setTimeout(() => settle("late"), timeoutMs);
    client.on("ready", ready);
    client.on("end", end);
  });
}

/** A STREAM_UNAVAILABLE error. Its cause is a copy: ioredis hangs the command and its arguments, row values among them, onto its errors. */
export function unavailable(error: unknown): LockstepError {
  const message = error instanceof Error ? error.message : "unknown error";
  const cause = Object.assign(new Error(message), { code: codeOf(error) });
  if (error instanceof Error) cause.name = error.name;
  return new LockstepError("STREAM_UNAVAILABLE", "Redis can't be reached or refuses to work", { cause });
}

function logErrors(client: RedisClient, logger: Logger | undefined): void {
  let last = "";
  client.on("ready", () => {
    if (last !== "") logger?.info({}, "redis is back");
    last = "";
  });
  // Without a listener ioredis writes to the console. One line per outage and kind of error.
  client.on("error", (error) => {
    const code = codeOf(error);
    if (code !== last) logger?.warn({ code }, "redis connection failed");
    last = code;
  });
}

/** Node's code, or the word that Redis begins its refusals with: `OOM`, `NOAUTH`. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if ("code" in error && typeof error.code === "string") return error.code;
  return (error.name === "ReplyError" && /^[A-Z]+(?= )/.exec(error.message)?.[0]) || error.name;
}
