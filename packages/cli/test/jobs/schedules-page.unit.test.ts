import { mkdtemp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfig, parseJobRequest } from "@lockstep/config";
import { expect } from "chai";
import { runCli } from "../../src/index.js";

const page = new URL("../../../../../docs/strategies/schedules.md", import.meta.url);

describe("docs/strategies/schedules.md", () => {
  let text: string;
  const blocks = (language: string): string[] =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "gs"))].map(([, code]) => code!);
  before(async () => {
    text = await readFile(page, "utf8");
  });

  it("has a configuration that loads", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lockstep-page-"));
    try {
      const packages = join(folder, "node_modules", "@lockstep");
      await mkdir(packages, { recursive: true });
      const root = fileURLToPath(new URL("../..", import.meta.resolve("@lockstep/config")));
      await symlink(root, join(packages, "config"));
      const file = join(folder, "lockstep.config.ts");
      await writeFile(file, blocks("ts")[0]!);
      const { schedules } = await loadConfig({ file, environment: {} });
      expect(Object.keys(schedules)).to.deep.equal(["check", "refresh"]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("asks for a job that can be asked for", () => {
    const [body] = blocks("json");
    expect(parseJobRequest(JSON.parse(body!))).to.include({ kind: "full", source: "shop" });
  });

  it("names commands that there are", async () => {
    const commands = blocks("sh").flatMap((block) => block.split("\n").filter((line) => line !== ""));
    expect(commands).to.have.length(9);
    for (const line of commands) {
      const [name, ...args] = line.replace(/#.*/, "").trim().split(/\s+/);
      const said: string[] = [];
      const terminal = {
        out: (text: string) => void said.push(text),
        error: (text: string) => void said.push(text),
      };
      expect(name).to.equal("lockstep");
      expect(await runCli([...args, "--help"], terminal), line).to.equal(0);
      // An option or a command that isn't there would show the help of its group.
      expect(said.join("\n"), line).to.include(`lockstep ${args[0]} ${args[1]} `);
      for (const option of args.filter((arg) => arg.startsWith("--")))
        expect(said.join("\n")).to.include(option);
    }
  });
});
