import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {number} [uid]
 * @property {number} [gid]
 * @property {string} [input] Written to the program's standard input.
 */

/**
 * Runs a program to its end and returns its output. Throws an Error with the last lines of its output when it fails.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<string>}
 */
export async function run(file, args, options = {}) {
  const { input, ...spawnOptions } = options;
  const child = spawn(file, args, { ...spawnOptions, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  // A program that ends before it has read everything breaks the pipe; its exit code says what went wrong.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const [code, signal] = await once(child, "close");
  if (code === 0) return stdout;
  const said = (stderr + stdout).trim().split("\n").slice(-8).join("\n");
  throw new Error(`${file} ended with ${signal ?? code}: ${said}`);
}
