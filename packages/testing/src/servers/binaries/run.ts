import { spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";

/** Runs a program to its end and returns its output. @throws Error with the last lines of its output when it fails. */
export async function run(
  file: string,
  args: readonly string[],
  options: Pick<SpawnOptions, "cwd" | "env" | "uid" | "gid"> & { readonly input?: string } = {},
): Promise<string> {
  const { input, ...spawnOptions } = options;
  const child = spawn(file, args, { ...spawnOptions, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  // A program that ends before it has read everything breaks the pipe; its exit code says what went wrong.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  if (code === 0) return stdout;
  const said = (stderr + stdout).trim().split("\n").slice(-8).join("\n");
  throw new Error(`${file} ended with ${signal ?? code}: ${said}`);
}
