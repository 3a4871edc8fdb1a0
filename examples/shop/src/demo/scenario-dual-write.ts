import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { dualWrite } from "@lockstep/publisher";
import { postgresTarget } from "@lockstep/target-postgres";
import type { Repository } from "typeorm";
import type { Customer } from "../entities.js";
import { openShop } from "./open-shop.js";
import { startProcesses } from "./processes.js";
import type { DemoOptions } from "./scenario-shop.js";
import { startServers } from "./servers.js";
import { compareAll } from "./verdict.js";

/** What the scenario found: the object that `--json` prints. */
export interface DualWriteResult {
  readonly saves: number;
  readonly failedSaves: number;
  /** Saves that returned before the secondary had them. */
  readonly timedOut: number;
  readonly differingRows: number;
  /** Of saves that the secondary had when they returned. */
  readonly p50Ms: number;
  readonly converged: boolean;
}

const savesPerSecond = 100;

/** Saves that wait for a secondary, which is killed half-way and comes back. */
export async function dualWriteScenario(options: DemoOptions): Promise<DualWriteResult> {
  const { say, verbose } = options;
  await using servers = await startServers(say);
  await using processes = await startProcesses(servers, verbose);
  await using open = await openShop(servers);
  const lockstep = await open.publish({
    targets: [postgresTarget({ name: "reporting", url: servers.targets.reporting })],
  });
  let timedOut = 0;
  const customers = dualWrite(lockstep, {
    targets: ["reporting"],
    timeoutMs: 250,
    onTimeout: () => void timedOut++,
  }).repository(open.dataSource.getRepository(open.entities.customer));
  const accident = killHalfWay(servers, options);
  const { saves, failedSaves, times } = await save(customers, () => timedOut, options);
  await accident;
  say(`${saves} saves, ${failedSaves} failed, ${timedOut} returned before the secondary had them`);
  await open.watch.untilCaughtUp(2, 120_000);
  const verdict = await compareAll(servers.source, servers.targets, processes.statusUrl);
  const differingRows = verdict.missingRows + verdict.extraRows + verdict.differingRows;
  verdict.examples.forEach(say);
  return {
    saves,
    failedSaves,
    timedOut,
    differingRows,
    p50Ms: Math.round((times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0) * 10) / 10,
    converged: failedSaves === 0 && differingRows === 0 && timedOut > 0,
  };
}

async function killHalfWay(
  { reporting }: { readonly reporting: { kill(): Promise<void>; start(): Promise<void> } },
  { seconds, say, signal }: DemoOptions,
): Promise<void> {
  await sleep(seconds * 400, undefined, { signal }).catch(() => undefined);
  say("the secondary is killed; the saves go on");
  await reporting.kill();
  await sleep(seconds * 200, undefined, { signal }).catch(() => undefined);
  await reporting.start();
  say("the secondary is back");
}

async function save(
  customers: Repository<Customer>,
  late: () => number,
  { seconds, signal, say }: DemoOptions,
): Promise<{ readonly saves: number; readonly failedSaves: number; readonly times: number[] }> {
  const times: number[] = [];
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1000;
  const under: Promise<void>[] = [];
  let [saves, failedSaves] = [0, 0];
  const one = async (): Promise<void> => {
    const id = randomUUID();
    const [began, lateBefore] = [performance.now(), late()];
    try {
      await customers.save({ id, email: `${id}@example.org`, name: "dual", preferences: null });
      if (late() === lateBefore) times.push(performance.now() - began);
    } catch {
      failedSaves++;
    }
  };
  const progress = setInterval(() => say(`${saves} saves, ${late()} returned early`), 1000);
  while (elapsed() < seconds && !signal.aborted) {
    under.push(one());
    const due = ++saves / savesPerSecond - elapsed();
    if (due > 0) await sleep(due * 1000);
  }
  clearInterval(progress);
  await Promise.all(under);
  return { saves, failedSaves, times };
}
