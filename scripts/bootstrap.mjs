// Makes a fresh clone runnable with nothing but Node and npm: dependencies (pnpm through npx), then the build.
// Each step is skipped when its result is up to date and says so in one short line.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBinary } from "../packages/testing/src/servers/binaries/find-binary.js";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const PNPM = "pnpm@10.34.9";
const OLDEST_NODE = [20, 19];

/** Installs and builds what is missing or out of date. Prints the reason and ends the process with code 1 when it can't. */
export async function bootstrap() {
  try {
    checkNode();
    // Beside the installation, which mostly waits for network and disk: a third of the time of a first run.
    const servers = fetchServers();
    await install();
    await build();
    await servers;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new Error(
    `Node ${process.versions.node} is too old: Lockstep needs ${OLDEST_NODE.join(".")} or newer. Install one from https://nodejs.org`,
  );
}

async function install() {
  const stamp = join(root, "node_modules", ".lockstep-installed");
  const wanted = createHash("sha256")
    .update(PNPM)
    .update(await readFile(join(root, "pnpm-lock.yaml")))
    .digest("hex");
  // The lockfile's content, not its time: a checkout gives every file a new time.
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
  await step("dependencies installed", "npx", [
    "-y",
    PNPM,
    "install",
    "--frozen-lockfile",
    "--prefer-offline",
    "--reporter=append-only",
    // Without a terminal pnpm would ask, and fail, before it replaces a node_modules of another version.
    "--config.confirmModulesPurge=false",
  ]).catch((error) => {
    throw new Error(
      `${error.message}\nIs the registry reachable (npm ping)? If the lockfile is out of date: npx -y ${PNPM} install`,
    );
  });
  await writeFile(stamp, wanted);
}

async function build() {
  await step("built", process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"]);
}

/** Failing is left to whoever starts a server: not every run needs one. */
async function fetchServers() {
  const started = performance.now();
  await Promise.allSettled(["postgres", "mariadb", "redis"].map(findBinary));
  say("servers found", started);
}

async function step(what, file, args) {
  const started = performance.now();
  const { code, output } = await finished(
    spawn(file, args, { cwd: root, env: environment(), stdio: ["ignore", "pipe", "pipe"] }),
  );
  if (code !== 0) throw new Error(`${output.trimEnd()}\nfailed: ${[file, ...args].join(" ")} (${code})`);
  say(what, started);
}

// Run by npx itself (npx -p node@24 …), an inner npx would take the outer one's package for its own.
function environment() {
  const { npm_config_package: _package, npm_config_call: _call, ...rest } = process.env;
  return rest;
}

function say(what, started) {
  process.stdout.write(`${what} (${((performance.now() - started) / 1000).toFixed(1)} s)\n`);
}

function finished(child) {
  return new Promise((resolve, reject) => {
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code: signal ?? code, output }));
  });
}
