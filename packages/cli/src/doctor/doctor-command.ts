import { configOf } from "../config-of.js";
import type { Finding } from "@lockstep/core";
import { type ChosenSource, chooseSources } from "@lockstep/jobs";
import { examineSource, type Watch } from "@lockstep/publisher/capture";
import { type Command, InvalidArgumentError } from "commander";
import { exitCodes, type Terminal } from "../terminal.js";
import { examineMappings } from "./examine-mappings.js";
import { examineWatched } from "./examine-watched.js";

interface Options {
  readonly config?: string;
  readonly source?: string;
  readonly seconds: number;
  readonly exact?: true;
  readonly json?: true;
}

/** `lockstep doctor`: whether the capture of a source can, and does, see everything. */
export function addDoctor(program: Command, terminal: Terminal, result: { code: number }): void {
  program
    .command("doctor")
    .description(
      "Examines sources and Redis, and watches for writes that go past capture. Changes nothing (but see --exact on PostgreSQL).",
    )
    .option("-c, --config <file>", "configuration file (default: lockstep.config.* in the working directory)")
    .option("-s, --source <name>", "only this source (default: all)")
    .option("--seconds <n>", "how long to watch for writes; 0: not at all", secondsOf, 10)
    .option(
      "--exact",
      "count transactions one by one instead of by statistics: PostgreSQL by triggers of the doctor's own, removed afterwards; MySQL and MariaDB from the binlog",
    )
    .option("--json", "one object as the last line")
    .action(async (options: Options) => {
      const config = await configOf(options);
      const sources = chooseSources(config, options.source);
      const watch = { windowMs: options.seconds * 1000, exact: options.exact === true };
      const reports = await Promise.all(
        sources.map(async (chosen) => ({
          source: chosen.source.name,
          capture: chosen.settings.capture,
          findings: [
            ...(await examineOutbox(chosen, watch)),
            ...(await examineWatched(config, chosen.source.name)),
            ...(await examineMappings(chosen.rows, options.config)),
          ],
        })),
      );
      const findings = reports.flatMap((report) => report.findings);
      const count = (level: Finding["level"]) => findings.filter((f) => f.level === level).length;
      const figures = { errors: count("error"), warnings: count("warning") };
      for (const report of reports) print(report, terminal);
      if (options.json) terminal.out(JSON.stringify({ sources: reports, ...figures }));
      else terminal.out(`${figures.errors} error(s), ${figures.warnings} warning(s)`);
      result.code = figures.errors > 0 ? exitCodes.found : exitCodes.ok;
    });
}

/** Where the outbox is in a state store, nothing there is captured, nor in the source. */
async function examineOutbox(chosen: ChosenSource, watch: Watch): Promise<readonly Finding[]> {
  const { capture, captureTables, stateStore } = chosen.settings;
  if (stateStore === undefined) return examineSource({ ...chosen, capture, captureTables }, watch);
  const findings = await examineSource({ ...chosen, capture }, { windowMs: 0, exact: false });
  return findings
    .filter(({ check }) => !check.startsWith("capture."))
    .map(({ check, subject, ...found }) => ({
      ...found,
      check: check.replace(/^source\./, "stateStore."),
      subject: subject === "source" ? "stateStore" : subject,
    }));
}

const order = { error: 0, warning: 1, ok: 2 } as const;

function print(
  { source, capture, findings }: { source: string; capture: string; findings: readonly Finding[] },
  terminal: Terminal,
): void {
  terminal.out(`source ${source}, captured by ${capture}`);
  for (const finding of findings.toSorted((a, b) => order[a.level] - order[b.level])) {
    terminal.out(`  ${finding.level.padEnd(7)}  ${finding.check}: ${sentenceOf(finding)}`);
    if (finding.advice !== undefined) terminal.out(`           → ${finding.advice}`);
  }
}

/** Some messages name what they are about themselves. */
function sentenceOf({ subject, message }: Finding): string {
  return message.startsWith(subject) ? message : `${subject}: ${message}`;
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !Number.isFinite(seconds) || seconds < 0 || seconds > 50) {
    throw new InvalidArgumentError("must be a number from 0 to 50.");
  }
  return seconds;
}
