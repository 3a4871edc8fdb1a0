import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../servers/free-port.js";

/** The server behind the proxy. */
export interface ProxyTarget {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
}

/** A TCP proxy on 127.0.0.1 whose connections can be broken, frozen and slowed. */
export interface FaultProxy {
  readonly port: number;
  /** `base` (a server's URL) with the proxy's host and port in place of the server's. */
  url(base: string): string;
  /** Breaks all connections (reset) and refuses new ones until `heal()`. */
  cut(): Promise<void>;
  /** Freezes: connections stay open, new ones are accepted, no byte and no farewell passes in either direction until `heal()`. */
  blackHole(): void;
  /** Ends `cut`, `blackHole` and `delay`; frozen bytes arrive now. */
  heal(): Promise<void>;
  /** Holds every piece of data back for `ms` milliseconds in each direction; 0 ends it. */
  delay(ms: number): void;
  /** Breaks all connections once; new ones work. */
  reset(): void;
  /** Open connections. */
  readonly connections: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What happens to bytes now. */
interface Weather {
  delayMs: number;
  /** Pending while frozen. */
  thaw: Promise<void>;
  melt: () => void;
}

/** Starts a proxy in front of `target` on a free port. */
export async function startProxy(target: ProxyTarget): Promise<FaultProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const weather: Weather = { delayMs: 0, thaw: Promise.resolve(), melt: () => undefined };
  const [first, port] = await listenOnFreePort(() => listenWith(target, pairs, weather));
  let server = first;

  const reset = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
    pairs.clear();
  };
  const close = async (): Promise<void> => {
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    reset();
    weather.melt();
    await closed;
  };
  return {
    port,
    url: (base) => withPort(base, port),
    cut: close,
    blackHole: () => {
      weather.melt();
      weather.thaw = new Promise((resolve) => (weather.melt = resolve));
    },
    heal: async () => {
      weather.delayMs = 0;
      weather.melt();
      weather.thaw = Promise.resolve();
      if (server.listening) return;
      server = listenWith(target, pairs, weather);
      await listen(server, port);
    },
    delay: (ms) => {
      weather.delayMs = ms;
    },
    reset,
    get connections() {
      return pairs.size;
    },
    [Symbol.asyncDispose]: close,
  };
}

const portAttempts = 5;

/** Not on a port of the system's choice, which it might give to somebody else during a cut. */
async function listenOnFreePort(create: () => Server): Promise<readonly [Server, number]> {
  for (let attempt = 1; ; attempt++) {
    const [server, port] = [create(), await freePort()];
    try {
      await listen(server, port);
      return [server, port];
    } catch (error) {
      if (attempt === portAttempts) throw error;
    }
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

function listenWith(target: ProxyTarget, pairs: Set<readonly [Socket, Socket]>, weather: Weather): Server {
  // Half-open: a farewell is passed on like every other byte, so that a frozen one isn't heard.
  const options = { noDelay: true, allowHalfOpen: true };
  return createServer(options, (client) => {
    const upstream = connect({ host: target.host ?? "127.0.0.1", port: target.port, ...options });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    void pass(client, upstream, weather);
    void pass(upstream, client, weather);
  });
}

async function pass(from: Socket, to: Socket, weather: Weather): Promise<void> {
  try {
    const pieces: AsyncIterable<Buffer> = from.iterator({ destroyOnReturn: false });
    for await (const piece of pieces) {
      if (weather.delayMs > 0) await sleep(weather.delayMs);
      await weather.thaw;
      if (!to.write(piece)) await once(to, "drain");
    }
    await weather.thaw;
    to.end();
  } catch {
    // Either side broke: its own error event has closed both.
  }
}

function withPort(base: string, port: number): string {
  const url = new URL(base);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return url.href;
}
