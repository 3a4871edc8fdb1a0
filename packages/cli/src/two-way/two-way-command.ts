import type { CaptureFinding } from "@lockstep/core";
import { type TwoWayNode, twoWayNodes } from "@lockstep/jobs";
import type { Command } from "commander";
import { asScript } from "../capture/as-script.js";
import { configOf } from "../config-of.js";
import { exitCodes, type Terminal } from "../terminal.js";

interface Options {
  readonly config?: string;
  readonly node?: string;
  readonly sql?: true;
  readonly json?: true;
}

/** What a command found, or did, at one node. */
interface Report {
  readonly node: string;
  readonly role: TwoWayNode["role"];
  readonly findings: readonly CaptureFinding[];
  readonly statements?: readonly string[];
}

/** `lockstep two-way …`: the triggers that keep the versions of rows on nodes of two-way sync. */
export function addTwoWay(program: Command, terminal: Terminal, result: { code: number }): void {
  const twoWay = program
    .command("two-way")
    .description(
      "Installs, checks and removes what two-way sync needs in its nodes. Consumers install it at start, too.",
    );
  const command = (
    name: string,
    description: string,
    work: (node: TwoWayNode, options: Options) => Promise<Report>,
  ) =>
    twoWay
      .command(name)
      .description(description)
      .option(
        "-c, --config <file>",
        "configuration file (default: lockstep.config.* in the working directory)",
      )
      .option("-n, --node <name>", "only this node (default: all)")
      .option("--json", "one object as the last line")
      .action(async (options: Options) => {
        const nodes = twoWayNodes(await configOf(options), options.node);
        const reports: Report[] = [];
        for (const node of nodes) reports.push(await work(node, options));
        for (const report of reports) print(report, terminal);
        const isWrong = reports.some(({ findings }) => findings.length > 0);
        if (options.json) terminal.out(JSON.stringify({ nodes: reports, ok: !isWrong }));
        result.code = isWrong ? exitCodes.found : exitCodes.ok;
      });
  const sql = ["--sql", "print the statements instead of running them"] as const;
  command("install", "Puts in place what is missing and mends what has drifted.", install).option(...sql);
  command("status", "Says whether all is in place. Changes nothing.", status);
  command(
    "remove",
    "Takes the triggers out: what is written then has no version, and counts as older than all else.",
    remove,
  ).option(...sql);
}

async function install(node: TwoWayNode, { sql }: Options): Promise<Report> {
  const { findings, statements } = await node.plan();
  const refused = findings.filter(({ problem }) => problem === "refused");
  if (sql) return { ...about(node), findings: refused, statements: asScript(node.engine, statements) };
  return { ...about(node), findings: await node.install() };
}

async function status(node: TwoWayNode): Promise<Report> {
  return { ...about(node), findings: (await node.plan()).findings };
}

async function remove(node: TwoWayNode, { sql }: Options): Promise<Report> {
  const { statements } = await node.removal();
  if (sql) return { ...about(node), findings: [], statements: asScript(node.engine, statements) };
  await node.remove();
  return { ...about(node), findings: [] };
}

function about({ name, role }: TwoWayNode): Pick<Report, "node" | "role"> {
  return { node: name, role };
}

function print({ node, role, findings, statements }: Report, terminal: Terminal): void {
  if (statements) {
    for (const statement of statements) terminal.out(statement);
    return;
  }
  terminal.out(`node ${node}, ${role}`);
  for (const { problem, message } of findings) terminal.out(`  ${problem.padEnd(8)} ${message}`);
  if (findings.length === 0) terminal.out("  all is in place");
}
