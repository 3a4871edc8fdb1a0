import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@lockstep/core";
import { outboxWriterOf, runAtSource, sourceOfUrl } from "@lockstep/publisher/capture";
import { freshMariaDb, freshPostgres } from "@lockstep/testing";
import { expect } from "chai";
import { runCli } from "../src/index.js";

describe("lockstep two-way", () => {
  it("installs what nodes need, says what is wrong, mends it, prints it and removes it", async () => {
    const databases = { main: await freshPostgres(), branch: await freshMariaDb() };
    const folder = await mkdtemp(join(tmpdir(), "lockstep-cli-"));
    const config = join(folder, "lockstep.config.json");
    const sql = (node: "main" | "branch", statement: string) => {
      const source = sourceOfUrl(databases[node].url, { name: node, outbox: {}, logger: silentLogger });
      return runAtSource(source, async (run) => {
        await outboxWriterOf(source).ensure(run);
        return run(statement);
      });
    };
    const run = async (...args: string[]) => {
      const out: string[] = [];
      const code = await runCli(["two-way", ...args, "-c", config], {
        out: (line) => void out.push(line),
        error: (line) => void out.push(line),
      });
      return { code, out: out.join("\n") };
    };
    try {
      const tables = { item: { policy: "primaryWins" } };
      await writeFile(
        config,
        JSON.stringify({
          redis: "redis://nowhere",
          sources: { main: { url: databases.main.url }, branch: { url: databases.branch.url } },
          targets: {
            main: { type: "postgres", url: databases.main.url },
            branch: { type: "mysql", url: databases.branch.url },
          },
          twoWay: { items: { hub: "main", leaves: ["branch"], tables } },
        }),
      );
      for (const node of ["main", "branch"] as const)
        await sql(node, "CREATE TABLE item (id INT PRIMARY KEY, v INT)");
      expect((await run("status")).code).to.equal(1);
      expect(await run("install")).to.deep.include({ code: 0 });
      expect(await run("status")).to.deep.equal({
        code: 0,
        out: "node main, hub\n  all is in place\nnode branch, leaf\n  all is in place",
      });
      await sql("main", "DROP FUNCTION lockstep.event_version CASCADE");
      const drifted = await run("status", "--node", "main", "--json");
      expect(drifted.code).to.equal(1);
      expect(JSON.parse(drifted.out.split("\n").at(-1)!)).to.deep.include({ ok: false });
      expect((await run("install")).code).to.equal(0);
      expect((await run("status")).code).to.equal(0);
      expect((await run("remove", "--node", "branch")).code).to.equal(0);
      // Several consumers start at the same moment.
      const atOnce = await Promise.all(["1", "2", "3", "4"].map(() => run("install", "--node", "branch")));
      expect(atOnce.map(({ code, out }) => (code === 0 ? "" : out)).join("")).to.equal("");
      expect((await run("remove", "--node", "branch")).code).to.equal(0);
      expect((await run("status")).out).to.include("has no version triggers");
      const script = await run("install", "--node", "branch", "--sql");
      expect(script.out).to.match(/DELIMITER[^]*CREATE TRIGGER/);
      expect((await run("status")).code).to.equal(1);
      expect(await run("status", "--node", "nobody")).to.deep.include({ code: 2 });
    } finally {
      await Promise.all(Object.values(databases).map((database) => database.drop()));
      await rm(folder, { recursive: true, force: true });
    }
  });
});
