// Seconds from the start of a fresh clone, with an empty home and empty caches, to the demo's first progress line.
// node scripts/cold-start.mjs [limit in seconds, default 25]: what is committed is measured; exit code 1 over the limit.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "./bootstrap.mjs";

const GIVE_UP_SECONDS = 300;
const limit = Number(process.argv[2] ?? 25);

const folder = await mkdtemp(join(tmpdir(), "lockstep-cold-start-"));
try {
  // As root the servers run as "nobody", who must be able to enter.
  await chmod(folder, 0o755);
  const seconds = await measure(folder);
  process.stdout.write(`cold start: ${seconds.toFixed(1)} s (limit ${limit} s)\n`);
  process.exitCode = seconds <= limit ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

async function measure(folder) {
  const clone = join(folder, "clone");
  const env = await emptyEnvironment(folder);
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  execFileSync("git", ["clone", "--quiet", root, clone], { env, stdio: "inherit" });
  // A group of its own: the demo and all it starts can be stopped together.
  const demo = spawn("npm", ["run", "demo"], {
    cwd: clone,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const giveUp = setTimeout(() => killGroup(demo), GIVE_UP_SECONDS * 1000);
  try {
    for await (const line of createInterface({ input: demo.stdout })) {
      process.stderr.write(`${elapsed().toFixed(1).padStart(6)} s  ${line}\n`);
      if (line.startsWith("progress")) return elapsed();
    }
  } finally {
    clearTimeout(giveUp);
    await end(demo);
  }
  throw new Error(`the demo ended after ${elapsed().toFixed(1)} s without a progress line`);
}

/** This process's environment without homes, caches and servers; the registry stays, a company's may be the only one. */
async function emptyEnvironment(folder) {
  const registry = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();
  const kept = Object.entries(process.env).filter(([name]) => !/^(npm_|pnpm_|XDG_|LOCKSTEP_)/i.test(name));
  const home = join(folder, "home");
  const cache = join(home, ".cache");
  await mkdir(cache, { recursive: true });
  return { ...Object.fromEntries(kept), HOME: home, XDG_CACHE_HOME: cache, npm_config_registry: registry };
}

/** At once: its servers are ended by their reaper, its processes by their group. */
async function end(demo) {
  // Nobody reads its output any more; it must not wait for a reader.
  demo.stdout.resume();
  const exited = demo.exitCode === null && demo.signalCode === null ? once(demo, "exit") : undefined;
  killGroup(demo);
  await exited;
}

function killGroup(demo) {
  try {
    process.kill(-demo.pid, "SIGKILL");
  } catch {
    // The whole group has ended.
  }
}
