import { newClient, type LinkOptions } from "./redis-link.js";

/** Messages of one channel. */
export interface Subscription {
  /** Calls `listener` for each message, and after each reconnect, when messages may have been lost. Returns a function that stops it. */
  listen(listener: (message: string) => void): () => void;
  close(): void;
}

/** Subscribes when somebody listens for the first time; a connection of its own, which reconnects for ever. */
export function subscribe(options: LinkOptions, channel: string): Subscription {
  const listeners = new Set<(message: string) => void>();
  let client: ReturnType<typeof newClient> | undefined;
  const tell = (message: string): void => {
    for (const listener of listeners) listener(message);
  };
  const open = (): ReturnType<typeof newClient> => {
    const opened = newClient(options.redis, { autoResubscribe: false, commandTimeout: 5_000 });
    opened.on("error", () => undefined);
    opened.on("message", (_channel: string, message: string) => tell(message));
    // "ready" comes again after each reconnect: subscribe anew, and say so, since messages may have been missed.
    opened.on("ready", () => {
      opened.subscribe(channel).then(
        () => tell(""),
        () => opened.disconnect(true),
      );
    });
    opened.connect().catch(() => undefined);
    return opened;
  };
  return {
    listen(listener) {
      client ??= open();
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      listeners.clear();
      client?.disconnect();
    },
  };
}
