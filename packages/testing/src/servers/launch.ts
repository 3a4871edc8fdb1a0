import { chmod, rm } from "node:fs/promises";
import { freePort } from "./free-port.js";
import { tellReaper } from "./reaper/reaper.js";
import type { ServerKind } from "./binaries/server-binary.js";
import type { RunningServer } from "./running-server.js";
import { makeServerFolder } from "./server-folder.js";
import type { ServerPlan } from "./server-plan.js";
import { PortTakenError, startProcess, type ServerProcess } from "./server-process.js";

const PORT_ATTEMPTS = 5;

/** How one kind of server is set up: `prepare` fills a fresh folder, `plan` says how it runs on a port. */
export interface ServerRecipe {
  readonly kind: ServerKind;
  prepare(folder: string): Promise<void>;
  plan(folder: string, port: number): ServerPlan;
}

/** Makes a folder, fills it, starts the server on a free port. */
export async function launch(recipe: ServerRecipe): Promise<RunningServer> {
  const folder = await makeServerFolder(recipe.kind);
  tellReaper({ watch: folder });
  try {
    await recipe.prepare(folder);
    const [plan, process] = await startOnFreePort(recipe, folder);
    return runningServer(plan, process);
  } catch (error) {
    await removeFolder(folder);
    throw error;
  }
}

async function startOnFreePort(
  recipe: ServerRecipe,
  folder: string,
): Promise<readonly [ServerPlan, ServerProcess]> {
  for (let attempt = 1; ; attempt++) {
    const plan = recipe.plan(folder, await freePort());
    try {
      return [plan, await startProcess(plan)];
    } catch (error) {
      if (!(error instanceof PortTakenError) || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function runningServer(plan: ServerPlan, first: ServerProcess): RunningServer {
  let running: ServerProcess | undefined = first;

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await running?.end(signal);
    running = undefined;
  };
  const start = async (): Promise<void> => {
    running ??= await startProcess(plan);
  };
  return {
    kind: plan.kind,
    url: plan.url,
    port: plan.port,
    stop: () => end(plan.stopSignal),
    kill: () => end(plan.killSignal),
    start,
    restart: async () => {
      await end(plan.stopSignal);
      await start();
    },
    [Symbol.asyncDispose]: async () => {
      // Its data goes with it, so there is nothing to end in order.
      await end(plan.killSignal);
      await removeFolder(plan.folder);
    },
  };
}

async function removeFolder(folder: string): Promise<void> {
  await chmod(folder, 0o700).catch(() => undefined);
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  tellReaper({ forget: folder });
}
