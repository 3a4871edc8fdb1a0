import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import {
  driverTypes,
  type DriverType,
  type TypeOrmVersion,
  typeOrmVersions,
} from "./app/typeorm-versions.js";
import { formatted } from "../values/formatted.js";
import { matrixDocument, tallyOf } from "./document/matrix-document.js";
import { runMatrix } from "./run-matrix.js";

interface Options {
  readonly versions: TypeOrmVersion[];
  readonly drivers: DriverType[];
  readonly only: string;
  readonly json: boolean;
}

const allVersions = Object.keys(typeOrmVersions) as TypeOrmVersion[];
const { versions, drivers, only, json } = new Command("coverage:capture")
  .description("Runs every write path of TypeORM against real databases and writes docs/coverage-capture.md.")
  .addOption(
    new Option("--versions <version...>", "versions of TypeORM").choices(allVersions).default(allVersions),
  )
  .addOption(new Option("--drivers <driver...>", "drivers").choices(driverTypes).default(driverTypes))
  .option("--only <text>", "only paths whose family or name holds this", "")
  .option("--json", "print one JSON object as the last line", false)
  .addHelpText("after", "\nA part of the matrix is run and judged, but not written.")
  .parse()
  .opts<Options>();

const say = (line: string) => void process.stdout.write(`${line}\n`);
const columns = versions.flatMap((version) => drivers.map((driver) => ({ version, driver })));
const results = await runMatrix({ columns, only, say });
for (const { version, driver, family, path, cell } of results) {
  if ("verdict" in cell && cell.verdict === "wrong") {
    say(`wrong: typeorm ${version}, ${driver}, ${family}, ${path}: ${cell.why}`);
  }
}
const tally = tallyOf(results);
const whole = only === "" && columns.length === allVersions.length * driverTypes.length;
if (whole && tally.wrong === 0) await write(matrixDocument(results));
say(json ? JSON.stringify(tally) : JSON.stringify(tally, undefined, 2));
process.exit(tally.wrong === 0 ? 0 : 1);

async function write(document: string): Promise<void> {
  const file = fileURLToPath(new URL("../../../../docs/coverage-capture.md", import.meta.url));
  await writeFile(file, await formatted(document));
  say("docs/coverage-capture.md written");
}
