import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A proxy that can lose exactly one exchange: the request, or the reply to it. */
export interface LossyProxy {
  /** The server's URL with the proxy's address. */
  readonly url: string;
  /** The next bytes that a client sends on an open connection never arrive; its connection breaks. */
  loseNextRequest(): void;
  /** The next bytes that a client sends arrive; the server's answer doesn't, the client's connection breaks instead. */
  loseNextReply(): void;
  close(): Promise<void>;
}

type Plan = "pass" | "lose-request" | "lose-reply";

/** Starts a proxy in front of the server of `url`. */
export async function startLossyProxy(url: string): Promise<LossyProxy> {
  const server = new URL(url);
  const sockets = new Set<Socket>();
  let plan: Plan = "pass";

  const proxy = createServer((client) => {
    const upstream = connect(Number(server.port), server.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let losing = false;
    client.on("data", (bytes) => {
      const mine = plan;
      plan = "pass";
      if (mine === "lose-request") return void client.destroy();
      losing ||= mine === "lose-reply";
      upstream.write(bytes);
    });
    // The server has answered, so what was asked has happened; only the client doesn't know.
    upstream.on("data", (bytes) => void (losing ? client.destroy() : client.write(bytes)));
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const proxied = new URL(url);
  proxied.hostname = "127.0.0.1";
  proxied.port = String((proxy.address() as AddressInfo).port);

  return {
    url: proxied.href,
    loseNextRequest: () => void (plan = "lose-request"),
    loseNextReply: () => void (plan = "lose-reply"),
    close: async () => {
      const closed = once(proxy, "close");
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
