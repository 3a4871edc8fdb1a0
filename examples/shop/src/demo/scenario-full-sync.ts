import { eventually, NodeProcess } from "@lockstep/testing";
import type { DataSource } from "typeorm";
import { runLoad } from "../load.js";
import type { Shop } from "../shop.js";
import { fillShop } from "./existing-rows.js";
import { openShop } from "./open-shop.js";
import { type DemoProcesses, startProcesses } from "./processes.js";
import type { DemoOptions } from "./scenario-shop.js";
import { startServers } from "./servers.js";
import { compareAll } from "./verdict.js";

/** What `--json` prints. */
export interface FullSyncResult {
  /** Existing rows that were copied, to each target. */
  readonly rows: number;
  /** To both targets, with the writing beside it, the kill and the wait for the last row included. */
  readonly rowsPerSecond: number;
  readonly resumed: boolean;
  readonly converged: boolean;
}

const existingRows = 200_000;

/** 200,000 rows are there before Lockstep is; they are copied to two empty databases while the shop writes, and the copying process is killed half-way. */
export async function fullSyncScenario(options: DemoOptions): Promise<FullSyncResult> {
  const { say, signal } = options;
  await using servers = await startServers(say);
  await using open = await openShop(servers);
  const { dataSource, shop, watch } = open;
  const closing = new AbortController();
  try {
    say(`filling the shop with ${existingRows} rows that nobody captured`);
    await fillShop(dataSource, existingRows);
    await using processes = await startProcesses(servers, options.verbose);
    await open.publish();
    await shop.open(200, 500);
    const load = untilClosed(shop, options, closing.signal);
    const copied = await copyAndKill(processes, dataSource, say);
    if (!signal.aborted) await load.atLeast;
    closing.abort();
    await load.done;
    say("writing stopped; waiting for the targets");
    await watch.untilCaughtUp(2, 120_000);
    const { missingRows, extraRows, differingRows, examples } = await compareAll(
      servers.source,
      servers.targets,
      processes.statusUrl,
    );
    for (const example of examples) say(`  ${example}`);
    const converged = missingRows + extraRows + differingRows === 0;
    say(converged ? "CONVERGED: the targets hold what the source holds" : "NOT CONVERGED");
    return { ...copied, converged };
  } finally {
    closing.abort();
  }
}

/** Writes for `seconds` at least, and until closed. */
function untilClosed(shop: Shop, { seconds, rate, signal }: DemoOptions, closed: AbortSignal) {
  const stop = AbortSignal.any([signal, closed]);
  return {
    atLeast: new Promise<void>((resolve) => void setTimeout(resolve, seconds * 1000)),
    done: runLoad(shop, { seconds: Number.MAX_SAFE_INTEGER, rate, signal: stop }),
  };
}

async function copyAndKill(
  processes: DemoProcesses,
  dataSource: DataSource,
  say: DemoOptions["say"],
): Promise<Omit<FullSyncResult, "converged">> {
  const began = performance.now();
  const first = await processes.lockstep("sync", "full");
  const half = async (): Promise<number | false> => {
    const { rows } = await copiedRows(dataSource);
    return rows >= existingRows / 2 ? rows : !first.running && refuse(first);
  };
  const before = await eventually(half, { what: "half of the rows", timeoutMs: 300_000, intervalMs: 20 });
  await first.kill();
  await first[Symbol.asyncDispose]();
  say(`killed the copying process after ${before} rows; lockstep sync resume`);
  const last = await resume(processes);
  const { rows, state } = await copiedRows(dataSource);
  if (state !== "done") refuse(last);
  await last[Symbol.asyncDispose]();
  const seconds = (performance.now() - began) / 1000;
  const rowsPerSecond = Math.round(rows / seconds);
  say(`copied ${rows} rows to both targets in ${seconds.toFixed(1)} s (${rowsPerSecond}/s)`);
  return { rows, rowsPerSecond, resumed: before < rows };
}

/** The server frees the lock of the killed process a moment later. */
async function resume(processes: DemoProcesses): Promise<NodeProcess> {
  for (let tries = 0; ; tries++) {
    const child = await processes.lockstep("sync", "resume");
    const code = await child.untilEnds();
    if (code === 0 || tries === 20) return child;
    await child[Symbol.asyncDispose]();
  }
}

async function copiedRows(
  dataSource: DataSource,
): Promise<{ readonly rows: number; readonly state: string }> {
  const [job] = (await dataSource.query(
    "SELECT progress, state FROM lockstep.job ORDER BY id DESC LIMIT 1",
  )) as {
    readonly progress: string;
    readonly state: string;
  }[];
  if (job === undefined) return { rows: 0, state: "" };
  const { tables } = JSON.parse(job.progress) as { readonly tables: readonly { readonly rows: number }[] };
  return { rows: tables.reduce((sum, table) => sum + table.rows, 0), state: job.state };
}

function refuse(child: NodeProcess): never {
  throw new Error(`the copying process ended:\n${child.output.slice(-5).join("\n")}`);
}
