import { writeFile } from "node:fs/promises";
import type { Engine } from "@lockstep/core";
import { Command } from "commander";
import { captures } from "./captures.js";
import { valuesDocument } from "./document.js";
import { formatted, documentPath } from "./formatted.js";
import { type Cell, runValues } from "./run/run.js";
import { complaints, totalsOf } from "./totals.js";

const program = new Command("coverage:values")
  .description(
    "Sends every column type's awkward values through every capture to every kind of target, and writes docs/coverage-values.md.",
  )
  .option("--json", "print one JSON object as the last line", false)
  .parse();

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const cells: Cell[] = [];
for (const from of ["postgres", "mysql"] as const satisfies readonly Engine[]) {
  for (const capture of captures[from]) {
    const found = await runValues(from, capture);
    const { exact, converted, deadLettered, wrong } = totalsOf(found);
    say(
      `${from}, ${capture}: ${exact} exact, ${converted} converted, ${deadLettered} dead letters, ${wrong} wrong`,
    );
    for (const complaint of complaints(found)) say(`  wrong: ${complaint}`);
    cells.push(...found);
  }
}
await writeFile(documentPath, await formatted(valuesDocument(cells)));
const totals = totalsOf(cells);
say(program.opts<{ json: boolean }>().json ? JSON.stringify(totals) : JSON.stringify(totals, undefined, 2));
process.exit(totals.wrong === 0 ? 0 : 1);
