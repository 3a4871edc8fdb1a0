import { captureKinds, type CaptureKind } from "@lockstep/core";
import { type Command, Option } from "commander";
import { exitCodes, type Terminal } from "../terminal.js";
import { atSources, type OpenSource, type SourceOptions } from "./open-source.js";
import { install, remove, type Report, status, switchTo } from "./capture-work.js";

interface Options extends SourceOptions {
  readonly sql?: true;
  readonly json?: true;
  readonly force?: true;
  readonly finish?: true;
  readonly to: CaptureKind;
  readonly timeout: number;
  readonly seconds: number;
}

/** `lockstep capture …`: what the capture of a source needs in its database. */
export function addCapture(program: Command, terminal: Terminal, result: { code: number }): void {
  const capture = program
    .command("capture")
    .description("Installs, checks, removes and changes the capture of sources.");
  const command = (
    name: string,
    description: string,
    work: (source: OpenSource, options: Options) => Promise<Report>,
  ): Command =>
    capture
      .command(name)
      .description(description)
      .option(
        "-c, --config <file>",
        "configuration file (default: lockstep.config.* in the working directory)",
      )
      .option("-s, --source <name>", "only this source (default: all)")
      .option(
        "--data-source <file>",
        "module that exports the application's DataSource: captures its entities",
      )
      .addOption(
        new Option("--capture <kind>", "instead of what the configuration says").choices([...captureKinds]),
      )
      .option("--json", "one object as the last line")
      .action(async (options: Options) => {
        const reports = await atSources(options, (source) => work(source, options));
        for (const report of reports) print(report, terminal);
        const isWrong = reports.some(({ findings }) => findings.length > 0);
        if (options.json) terminal.out(JSON.stringify({ sources: reports, ok: !isWrong }));
        result.code = isWrong ? exitCodes.found : exitCodes.ok;
      });
  const sql = ["--sql", "print the statements instead of running them"] as const;
  command("install", "Puts in place what is missing and mends what has drifted.", install).option(...sql);
  command("status", "Says whether all is in place. Changes nothing.", status);
  command("remove", "Takes everything out that install put in.", remove)
    .option(...sql)
    .option("--force", "also while targets follow: writes are no longer captured");
  command("switch", "Changes the capture of a source that is written to.", switchTo)
    .addOption(new Option("--to <kind>", "the new capture").choices([...captureKinds]).makeOptionMandatory())
    .option("--timeout <seconds>", "how long targets are waited for", Number, 60)
    .option("--finish", "every process has been started with the new capture: end the old one")
    .option(
      "--seconds <n>",
      "with --finish to subscriber: how long it is watched whether it sees every write",
      Number,
      10,
    )
    .option("--force", "without that");
}

function print({ source, capture, findings, statements, said }: Report, terminal: Terminal): void {
  if (statements) {
    for (const statement of statements) terminal.out(statement);
    // Beside the script, which may be on its way into a client.
    for (const { problem, message } of findings) terminal.error(`${problem} ${message}`);
    return;
  }
  terminal.out(`source ${source}, captured by ${capture}`);
  for (const { problem, message } of findings) terminal.out(`  ${problem.padEnd(8)} ${message}`);
  if (findings.length === 0) terminal.out("  all is in place");
  for (const line of said ?? []) terminal.out(`  ${line}`);
}
