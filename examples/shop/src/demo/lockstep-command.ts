import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCli } from "@lockstep/cli";

/** What a command of `lockstep` said. */
export interface CommandResult<T> {
  readonly code: number;
  /** The object of `--json`. */
  readonly json: T;
  readonly lines: readonly string[];
}

/** Runs `lockstep …  --json` with a configuration of its own. @throws Error with what it said, when it gave no object. */
export async function runLockstep<T>(config: object, ...args: readonly string[]): Promise<CommandResult<T>> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-"));
  const lines: string[] = [];
  const said = (line: string): void => void lines.push(line);
  try {
    const file = join(folder, "lockstep.config.json");
    await writeFile(file, JSON.stringify(config));
    const code = await runCli([...args, "--config", file, "--json"], { out: said, error: said });
    const last = lines.at(-1) ?? "";
    if (!last.startsWith("{")) throw new Error(`lockstep ${args[0]}: exit code ${code}: ${lines.join("\n")}`);
    return { code, json: JSON.parse(last) as T, lines };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
