// Ends servers and removes their folders when the process that started this one is gone. See reaper.ts.
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { processesIn } from "./processes-in.js";
import type { ReaperMessage } from "./reaper.js";

interface Watched {
  readonly pid?: number;
  readonly signal?: NodeJS.Signals;
}

const PATIENCE_MS = 5_000;
const watched = new Map<string, Watched>();

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line) as ReaperMessage;
  if ("forget" in message) watched.delete(message.forget);
  else watched.set(message.watch, message);
}
await Promise.all([...watched].map(([folder, server]) => reap(folder, server)));

async function reap(folder: string, server: Watched): Promise<void> {
  if (await isAlive(folder, server.pid)) signal(server.pid, server.signal ?? "SIGKILL");
  const deadline = performance.now() + PATIENCE_MS;
  while ((await survivors(folder, server.pid)).length > 0) {
    if (performance.now() > deadline) break;
    await sleep(50);
  }
  for (const pid of await survivors(folder, server.pid)) signal(pid, "SIGKILL");
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

// A number may belong to another process by now: only one that works in the server's folder is ours.
async function isAlive(folder: string, pid: number | undefined): Promise<boolean> {
  return pid !== undefined && (await survivors(folder, pid)).includes(pid);
}

async function survivors(folder: string, pid: number | undefined): Promise<readonly number[]> {
  const inFolder = await processesIn(folder);
  if (inFolder !== undefined) return inFolder;
  return pid !== undefined && signal(pid, 0) ? [pid] : [];
}

function signal(pid: number | undefined, name: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(pid, name);
  } catch {
    return false;
  }
}
