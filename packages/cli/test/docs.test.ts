import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfig, parseJobRequest } from "@lockstep/config";
import { expect } from "chai";
import { runCli } from "../src/index.js";

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const blocks = await allBlocks();

async function allBlocks(): Promise<readonly Block[]> {
  const strategies = (await readdir(join(root, "docs/strategies"))).map((name) => `docs/strategies/${name}`);
  const pages = ["README.md", "CONTRIBUTING.md", "docs/operations.md", "docs/capture.md", ...strategies];
  const found = await Promise.all(
    pages.map(async (page) => blocksOf(page, await readFile(join(root, page), "utf8"))),
  );
  return found.flat();
}

function blocksOf(page: string, text: string): Block[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(({ index, 1: language, 2: code }) => ({
    page,
    line: text.slice(0, index).split("\n").length,
    language: language!,
    code: code!,
  }));
}

/** A configuration as a page shows it: whole, or the part that the page is about. */
function configurationIn({ language, code }: Block): string | undefined {
  if (language !== "ts") return undefined;
  if (code.includes("export default defineConfig(")) return code;
  const part = /^(targets|sources|schedules): \{/.exec(code)?.[1];
  if (part === undefined) return undefined;
  const others = {
    redis: '"redis://redis"',
    sources: '{ shop: { url: "postgres://lockstep@db/shop" } }',
    targets: '{ reporting: { type: "postgres", url: "postgres://lockstep@reporting/reporting" } }',
  };
  const rest = Object.entries(others).filter(([name]) => name !== part);
  return `export default {\n${rest.map(([name, value]) => `${name}: ${value},\n`).join("")}${code}}`;
}

/** What the pages say is better kept out of the file. */
const secrets = { LOCKSTEP_TARGET_REPORTING_MASK_SECRET: "a secret for the hashes of this page" };

describe("the documentation", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "lockstep-docs-"));
    const packages = join(folder, "node_modules", "@lockstep");
    await mkdir(packages, { recursive: true });
    for (const name of ["config", "core"]) {
      await symlink(join(root, "packages", name), join(packages, name));
    }
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const block of blocks) {
    const code = configurationIn(block);
    if (code === undefined) continue;
    it(`${block.page}:${block.line} is a configuration that loads`, async () => {
      const file = join(folder, `${block.page.replaceAll("/", "-")}-${block.line}.ts`);
      await writeFile(file, code);
      const config = await loadConfig({ file, environment: secrets });
      expect(Object.keys(config.targets)).not.to.deep.equal([]);
    });
  }

  for (const { page, line, language, code } of blocks) {
    if (language !== "json" || !code.includes('"kind"')) continue;
    it(`${page}:${line} is a job that can be asked for`, () => {
      expect(parseJobRequest(JSON.parse(code)).options).not.to.deep.equal({});
    });
  }

  const commands = blocks
    .filter(({ language }) => language === "sh")
    .flatMap(({ page, line, code }) =>
      code
        .split(/\n|;|&&/)
        .map((text) => text.replace(/\s#.*$/, "").trim())
        .filter((text) => text.startsWith("lockstep "))
        .map((text) => ({ page, line, text })),
    );
  for (const { page, line, text } of commands) {
    it(`${page}:${line} is a command: ${text}`, async () => {
      const [, ...args] = (text.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ""));
      const to = args.indexOf(">");
      const lines: string[] = [];
      const keep = (said: string): void => void lines.push(said);
      await runCli([...args.slice(0, to < 0 ? args.length : to), "--config", join(folder, "none.ts")], {
        out: keep,
        error: keep,
      });
      // It gets as far as a file that isn't there: its words and options are known.
      expect(lines.join("\n")).to.match(/none\.ts doesn't exist|found\.txt/);
    });
  }
});
