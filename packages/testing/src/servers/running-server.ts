import type { ServerKind } from "./binaries/server-binary.js";

/** Settings that every kind of server takes. */
export interface ServerOptions {
  /** Server settings by their own names (postgresql.conf, my.cnf, redis.conf); they win over the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A server on 127.0.0.1 with a folder of its own. It ends with this process, even when that is SIGKILLed. */
export interface RunningServer {
  readonly kind: ServerKind;
  /** A connection URL with user and password; the same for the server's whole life. */
  readonly url: string;
  readonly port: number;
  /** Ends it in order (as an operator would); port and data stay reserved for `start()`. */
  stop(): Promise<void>;
  /** `stop()` and `start()`: same port, same data (Redis keeps data only with `appendOnly`). */
  restart(): Promise<void>;
  /** Ends it at once, as a crash would: open connections break, nothing is flushed. */
  kill(): Promise<void>;
  /** Starts it again after `stop()` or `kill()`, on the same port and data; returns when it answers. */
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  [Symbol.asyncDispose](): Promise<void>;
}
