import { fileURLToPath } from "node:url";
import { freePort, NodeProcess } from "@lockstep/testing";
import type { DemoServers } from "./servers.js";

/** The deployed half of Lockstep: one consumer and the status service, as processes of their own. */
export interface DemoProcesses extends AsyncDisposable {
  readonly statusUrl: string;
  /** Starts `lockstep …` with the same configuration. */
  lockstep(...args: readonly string[]): Promise<NodeProcess>;
}

/** Starts both from one configuration. `verbose` shows what they log. */
export async function startProcesses(servers: DemoServers, verbose: boolean): Promise<DemoProcesses> {
  const port = await freePort();
  const config = configuration(servers, port);
  const children = await Promise.all([
    startService("@lockstep/consumer", config, verbose),
    startService("@lockstep/status", config, verbose),
  ]);
  return {
    statusUrl: `http://127.0.0.1:${port}`,
    lockstep: (...args) => startCommand(args, config, verbose),
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map((child) => child.stop()));
      await Promise.all(children.map((child) => child[Symbol.asyncDispose]()));
    },
  };
}

/** Starts a service's `main.js`, as its command does, with a configuration file of its own. */
export function startService(name: string, config: object, show = false): Promise<NodeProcess> {
  const main = fileURLToPath(new URL("../main.js", import.meta.resolve(name)));
  const file = "lockstep.config.json";
  return NodeProcess.start({
    nodeArgs: ["--max-semi-space-size=16"],
    main,
    args: ["--config", file],
    files: { [file]: JSON.stringify(config) },
    show,
  });
}

/** Starts `lockstep` itself, with a configuration file of its own. */
export function startCommand(args: readonly string[], config: object, show = false): Promise<NodeProcess> {
  const main = fileURLToPath(new URL("../../bin.js", import.meta.resolve("@lockstep/cli")));
  const file = "lockstep.config.json";
  return NodeProcess.start({
    main,
    args: [...args, "--config", file],
    files: { [file]: JSON.stringify(config) },
    show,
  });
}

function configuration(servers: DemoServers, port: number) {
  return {
    redis: servers.redis,
    sources: { shop: { url: servers.source } },
    targets: {
      reporting: { type: "postgres", url: servers.targets.reporting, schema: "managed" },
      warehouse: { type: "mysql", url: servers.targets.warehouse, schema: "managed" },
    },
    // Short, so that the refused rows are dead before the demo ends.
    retry: { attempts: 3, delayMs: 500, maxDelayMs: 2000 },
    status: { port },
  };
}
