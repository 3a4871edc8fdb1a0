import { compareSides, eventually, type NodeProcess, openSide, type Side } from "@lockstep/testing";
import pg from "pg";
import { runLockstep } from "./lockstep-command.js";
import { startCommand, startService } from "./processes.js";
import type { DemoOptions } from "./scenario-shop.js";
import { type DemoServers, startServers } from "./servers.js";
import { openVendor, type Vendor } from "./vendor.js";
import { Watch } from "./watch.js";

/** What `--json` prints. */
export interface IncrementalResult {
  /** Rows that were compared in both targets. */
  readonly rows: number;
  /** Transactions that committed when rows written after theirs were in the targets already, by more than the overlap. */
  readonly lateCommits: number;
  /** Rows that a target lacks, or has otherwise. */
  readonly missed: number;
  readonly converged: boolean;
}

const existingRows = 10_000;
const overlapMs = 1_000;
const tables = ["invoice", "ledger"];

/**
 * A vendor's database that Lockstep may only read: its tables are read by their change columns, pass after pass, while the vendor writes, some transactions commit long
 * after the cursor passed them, and the reading process is killed half-way.
 */
export async function incrementalScenario(options: DemoOptions): Promise<IncrementalResult> {
  const { say } = options;
  await using servers = await startServers(say);
  await using vendor = await openVendor(servers.source, existingRows);
  const config = await configOf(servers);
  await using _relay = await startService("@lockstep/relay", config, options.verbose);
  await using _consumer = await startService("@lockstep/consumer", config, options.verbose);
  const watch = new Watch(servers.redis, "vendor");
  try {
    await watch.untilLanesRun(2, 60_000);
    const lateCommits = await underWrites(servers, vendor, config, options);
    say("writing stopped; a last pass");
    const last = await runLockstep<{ readonly rows: number }>(config, "sync", "incremental");
    if (last.code !== 0) throw new Error(last.lines.join("\n"));
    return await verdictOf(servers, lateCommits, say);
  } finally {
    await watch.close();
  }
}

async function underWrites(
  servers: DemoServers,
  vendor: Vendor,
  config: object,
  { seconds, rate, signal, say, verbose }: DemoOptions,
): Promise<number> {
  await using mirror = await openSide(servers.targets.reporting);
  const passes = () => startCommand(["sync", "incremental", "--every", "0.5"], config, verbose);
  let reading: NodeProcess = await passes();
  say(`reading ${existingRows} rows with a role that may only read`);
  await eventually(() => holdsAll(mirror), { what: "the existing rows", timeoutMs: 120_000 });
  say("the vendor writes, and pass follows pass");
  const closing = new AbortController();
  const stop = AbortSignal.any([signal, closing.signal]);
  let passed = 0;
  const writing = vendor.write(rate, stop);
  const late = vendor.writeLate(stop, async (moment) => {
    const is = await isPassed(mirror, moment);
    if (is) passed++;
    return is;
  });
  // For so long, and until there was a late commit: a busy machine may take longer.
  const over = pauseUntil(stop, seconds * 1000)
    .then(() =>
      eventually(async () => passed > 0 || stop.aborted, { what: "a late commit", timeoutMs: 60_000 }),
    )
    .finally(() => closing.abort());
  await pauseUntil(stop, (seconds * 1000) / 2);
  await reading.kill();
  await reading[Symbol.asyncDispose]();
  reading = await passes();
  say("killed the reading process and started it again");
  const [{ transactions }, lateCommits] = await Promise.all([writing, late, over]);
  await reading.stop();
  await reading[Symbol.asyncDispose]();
  say(`${transactions} transactions, ${lateCommits} of them committed long after the cursor had passed them`);
  return lateCommits;
}

async function holdsAll({ query }: Side): Promise<boolean> {
  const [row] = await query("select count(*) as n from invoice").catch(() => []);
  return Number(row?.["n"] ?? 0) >= existingRows;
}

/** Whether others have written since then, by more than the overlap, and it has been read. */
async function isPassed({ query }: Side, moment: string): Promise<boolean> {
  const [row] = await query(
    `select max(updated_at) > '${moment}'::timestamptz + interval '${overlapMs} ms' as passed from invoice where region <> 'late'`,
  );
  return row!["passed"] === true;
}

async function verdictOf(
  servers: DemoServers,
  lateCommits: number,
  say: DemoOptions["say"],
): Promise<IncrementalResult> {
  await using left = await openSide(servers.source);
  let [rows, missed, extra] = [0, 0, 0];
  for (const [name, url] of Object.entries(servers.targets)) {
    await using right = await openSide(url);
    const found = await compareSides(left, right, { tables });
    rows += found.rows;
    missed += found.missing + found.differing;
    extra += found.extra;
    for (const example of found.examples) say(`  ${name}: ${example}`);
  }
  const own = await left.query("select from information_schema.schemata where schema_name = 'lockstep'");
  const converged = missed + extra === 0 && own.length === 0;
  say(converged ? "CONVERGED: nothing was missed, and nothing of ours is in the source" : "NOT CONVERGED");
  return { rows, lateCommits, missed, converged };
}

async function configOf(servers: DemoServers): Promise<object> {
  const store = new URL(servers.targets.reporting);
  store.pathname = "/vendor_state";
  const client = new pg.Client({ connectionString: servers.targets.reporting });
  await client.connect();
  await client.query("create database vendor_state");
  await client.end();
  const reader = new URL(servers.source);
  [reader.username, reader.password] = ["vendor_reader", "reader"];
  const incremental = {
    "public.invoice": { column: "updated_at", overlapMs },
    "public.ledger": { column: "entry", overlapMs },
  };
  return {
    redis: servers.redis,
    sources: { vendor: { url: reader.href, stateStore: store.href, incremental } },
    targets: {
      reporting: { type: "postgres", url: servers.targets.reporting, schema: "managed" },
      warehouse: { type: "mysql", url: servers.targets.warehouse, schema: "managed" },
    },
  };
}

function pauseUntil(stop: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
