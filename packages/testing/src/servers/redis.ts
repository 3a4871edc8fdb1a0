import { Redis } from "ioredis";
import { findBinary, serverEnvironment } from "./binaries/find-binary.js";
import type { ServerBinary } from "./binaries/server-binary.js";
import { launch, type ServerRecipe } from "./launch.js";
import type { RunningServer, ServerOptions } from "./running-server.js";

/** How a Redis is started. */
export interface RedisOptions extends ServerOptions {
  /** Keep data over `restart()` and `kill()`: an append-only file, written before each reply. Default false: data is lost. */
  readonly appendOnly?: boolean;
}

const defaults: Readonly<Record<string, string>> = {
  bind: "127.0.0.1",
  databases: "64",
  save: "",
  "maxmemory-policy": "noeviction",
  // The file is written before each reply, so the death of the process loses nothing; the disk may follow later.
  // "everysec" may put writes off while a flush is under way.
  appendfsync: "no",
};

/** Starts Redis: 64 logical databases, no eviction, no snapshots; without `appendOnly` a restart loses all data. */
export async function startRedis(options: RedisOptions = {}): Promise<RunningServer> {
  const binary = await findBinary("redis");
  const appendonly = options.appendOnly === true ? "yes" : "no";
  return launch(recipe(binary, { ...defaults, appendonly, ...options.settings }));
}

function recipe(binary: ServerBinary, settings: Readonly<Record<string, string>>): ServerRecipe {
  return {
    kind: "redis",
    // It makes its files itself.
    prepare: async () => undefined,
    plan: (folder, port) => {
      const url = `redis://127.0.0.1:${port}/`;
      const args = ["--port", String(port), "--dir", folder];
      for (const [name, value] of Object.entries(settings)) args.push(`--${name}`, value);
      return {
        kind: "redis",
        folder,
        port,
        url,
        command: { program: binary.program, args, env: serverEnvironment(binary) },
        probe: () => isServing(url, folder),
        stopSignal: "SIGTERM",
        killSignal: "SIGKILL",
      };
    },
  };
}

async function isServing(url: string, folder: string): Promise<boolean> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 5_000 });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    // Answers LOADING while it reads its append-only file.
    await redis.ping();
    const [, dir] = (await redis.config("GET", "dir")) as readonly string[];
    return dir === folder;
  } finally {
    redis.disconnect();
  }
}
