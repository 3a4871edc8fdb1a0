import { runLoad } from "../load.js";
import { openShop, type OpenShop } from "./open-shop.js";
import { type DemoProcesses, startProcesses } from "./processes.js";
import { saveRefusedRows, tightenTargets } from "./refused-rows.js";
import { type DemoServers, startServers } from "./servers.js";
import { compareAll, type Verdict } from "./verdict.js";
import { live, progressLine, type Reports, type Watch } from "./watch.js";

/** Options of the demo, as given on the command line. */
export interface DemoOptions {
  readonly seconds: number;
  readonly rate: number;
  /** So many reads instead of `seconds`, where the scenario is about reads. */
  readonly reads?: number;
  readonly keep: boolean;
  readonly verbose: boolean;
  readonly say: (line: string) => void;
  /** Aborted when the person wants to stop. */
  readonly signal: AbortSignal;
}

/** What the demo found: the object that `--json` prints. */
export interface DemoResult {
  readonly transactions: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly lagMsP50: number;
  readonly lagMsP99: number;
  readonly deadLetters: number;
  readonly missingRows: number;
  readonly extraRows: number;
  readonly differingRows: number;
  readonly converged: boolean;
}

/** The main path: a shop writes, two databases follow, some rows are refused, everything is compared. */
export async function shopScenario(options: DemoOptions): Promise<DemoResult> {
  await using servers = await startServers(options.say);
  await using processes = await startProcesses(servers, options.verbose);
  await using open = await openShop(servers);
  await open.publish();
  return await watchShop({ ...open, servers, processes, options });
}

interface Stage extends Omit<OpenShop, keyof AsyncDisposable> {
  readonly servers: DemoServers;
  readonly processes: DemoProcesses;
  readonly options: DemoOptions;
}

async function watchShop(stage: Stage): Promise<DemoResult> {
  const { shop, watch, servers, processes, options } = stage;
  // Orders lock the stock of their products until they commit: with few products the clients wait for each other, not for the database.
  await shop.open(200, 500);
  const progress = showProgress(watch, options);
  const load = runLoad(shop, { seconds: options.seconds, rate: options.rate, signal: options.signal });
  const refused = refuseSome(stage);
  const { transactions, seconds } = await load;
  await refused;
  progress.stop();
  options.say("writing stopped; waiting for the targets");
  const reports = await watch.untilCaughtUp(2, 120_000);
  const verdict = await compareAll(servers.source, servers.targets, processes.statusUrl);
  const result = resultOf(transactions, seconds, reports, verdict);
  sayVerdict(result, verdict, processes.statusUrl, options);
  if (options.keep) await untilAborted(options);
  return result;
}

async function refuseSome({ servers, dataSource, entities, options }: Stage): Promise<void> {
  await tightenTargets(servers);
  const rows = await saveRefusedRows(dataSource, entities);
  options.say(`saved ${rows} rows of which each target refuses some: watch the dead letters`);
}

function showProgress(watch: Watch, { say }: DemoOptions): { stop(): void } {
  const start = Date.now();
  let total = 0;
  const show = async () => {
    const reports = await watch.read();
    say(progressLine(Math.round((Date.now() - start) / 1000), reports, total));
    total = reports.relay?.total ?? total;
  };
  const timer = setInterval(
    () => void show().catch((error: Error) => say(`progress unknown: ${error.name}`)),
    1000,
  );
  return { stop: () => clearInterval(timer) };
}

function resultOf(
  transactions: number,
  seconds: number,
  { relay, lanes }: Reports,
  verdict: Verdict,
): DemoResult {
  const { missingRows, extraRows, differingRows } = verdict;
  const events = relay?.total ?? 0;
  return {
    transactions,
    events,
    eventsPerSecond: Math.round(events / seconds),
    lagMsP50: Math.max(...lanes.map((lane) => lane.latencyMs.p50)),
    lagMsP99: Math.max(...lanes.map((lane) => lane.latencyMs.p99)),
    deadLetters: lanes.reduce((sum, lane) => sum + live(lane), 0),
    missingRows,
    extraRows,
    differingRows,
    converged: missingRows + extraRows + differingRows === 0,
  };
}

function sayVerdict(result: DemoResult, verdict: Verdict, url: string, { say }: DemoOptions): void {
  say("");
  say(
    `${result.transactions} transactions made ${result.events} events (${result.eventsPerSecond}/s); commit to visible p50 ${result.lagMsP50} ms, p99 ${result.lagMsP99} ms`,
  );
  say(
    `${verdict.rows} rows compared with each target: ${result.missingRows} missing, ${result.extraRows} extra, ${result.differingRows} differing; ${result.deadLetters} dead letters explain the rest`,
  );
  for (const example of verdict.examples) say(`  ${example}`);
  say(result.converged ? "CONVERGED: the targets hold what the source holds" : "NOT CONVERGED");
  say("");
  for (const path of [
    "/api/v1/status",
    "/api/v1/dead-letters",
    "/api/v1/dead-letters/groups",
    "/queues",
    "/docs",
    "/metrics",
  ])
    say(`  ${url}${path}`);
}

async function untilAborted({ say, signal }: DemoOptions): Promise<void> {
  say("\neverything keeps running; Ctrl-C ends it");
  if (signal.aborted) return;
  await new Promise<void>(
    (resolve) => void signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
