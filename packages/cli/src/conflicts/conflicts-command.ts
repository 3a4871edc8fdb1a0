import { type ListedConflict, listConflicts } from "@lockstep/jobs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { configOf } from "../config-of.js";
import type { Terminal } from "../terminal.js";

interface ConflictsOptions {
  readonly config?: string;
  readonly target?: string;
  readonly source?: string;
  readonly entity?: string;
  readonly outcome?: "source" | "target" | "merged";
  readonly since?: number;
  readonly limit: number;
  readonly json?: true;
}

/** `lockstep conflicts`: what was decided where a target's own writers had changed rows, too. */
export function addConflicts(program: Command, terminal: Terminal): void {
  program
    .command("conflicts")
    .description("Shows the last conflicts that were decided, the newest first; never row values.")
    .option("-c, --config <file>", "configuration file (default: lockstep.config.* in the working directory)")
    .option("-t, --target <name>", "only in this target")
    .option("-s, --source <name>", "only of this source")
    .option("-e, --entity <table>", "only of this table of the target")
    .addOption(
      new Option("--outcome <outcome>", "only those that came to this").choices([
        "source",
        "target",
        "merged",
      ]),
    )
    .option("--since <time>", "only those decided then or later (ISO 8601)", timeOf)
    .option("--limit <n>", "so many at most", countOf, 50)
    .option("--json", "one object as the last line")
    .action(async (options: ConflictsOptions) => {
      const { json, entity, target, source, outcome, since, limit } = options;
      const conflicts = await listConflicts(await configOf(options), {
        limit,
        ...(target !== undefined && { target }),
        ...(source !== undefined && { source }),
        ...(entity !== undefined && { table: entity }),
        ...(outcome !== undefined && { outcome }),
        ...(since !== undefined && { since }),
      });
      for (const conflict of conflicts) terminal.out(lineOf(conflict));
      if (conflicts.length === 0) terminal.out("no conflicts");
      if (json) terminal.out(JSON.stringify({ conflicts: conflicts.map(shown) }));
    });
}

function lineOf({ targetName, source, table, key, policy, outcome, at }: ListedConflict): string {
  const when = new Date(at).toISOString();
  return `${when}  ${source} → ${targetName}  ${table} ${key}  ${policy}: ${outcome}`;
}

function shown({ targetName: target, at, ...rest }: ListedConflict) {
  return { ...rest, target, at: new Date(at).toISOString() };
}

function timeOf(text: string): number {
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new InvalidArgumentError("must be a time such as 2026-01-02T03:04:05Z.");
  return at;
}

function countOf(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000)
    throw new InvalidArgumentError("must be 1 to 1000.");
  return value;
}
