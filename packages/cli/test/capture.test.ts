import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CaptureSource, runAtSource, sourceOfUrl } from "@lockstep/publisher/capture";
import { type FreshDatabase, freshMariaDb, freshPostgres } from "@lockstep/testing";
import { silentLogger } from "@lockstep/core";
import { expect } from "chai";
import { runCli } from "../src/index.js";

const kinds = { postgres: freshPostgres, mariadb: freshMariaDb } as const;

for (const [kind, fresh] of Object.entries(kinds)) {
  describe(`lockstep capture: ${kind}`, () => {
    let database: FreshDatabase;
    let source: CaptureSource;
    let folder: string;
    let config: string;
    const sql = (statement: string) => runAtSource(source, (run) => run(statement));
    const outbox = kind === "postgres" ? "lockstep.outbox" : "lockstep_outbox";
    const captured = async () => {
      const [row] = await sql(`SELECT count(*) AS n FROM ${outbox}`);
      return Number(row!["n"]);
    };
    const run = async (...args: string[]) => {
      const out: string[] = [];
      const error: string[] = [];
      const code = await runCli(["capture", ...args], {
        out: (line) => void out.push(line),
        error: (line) => void error.push(line),
      });
      return { code, out, error: error.join("\n") };
    };
    const configure = async (more: object): Promise<void> => {
      config = join(folder, `${Math.random()}.config.json`);
      const shop = { url: database.url, captureTables: ["item"], ...more };
      await writeFile(config, JSON.stringify({ redis: "redis://nowhere", sources: { shop } }));
    };

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "lockstep-cli-"));
      database = await fresh();
      source = sourceOfUrl(database.url, { name: "shop", outbox: {}, logger: silentLogger });
      await sql("CREATE TABLE item (id INT PRIMARY KEY)");
      await configure({ capture: "trigger" });
    });
    afterEach(async () => {
      await database.drop();
      await rm(folder, { recursive: true, force: true });
    });

    it("installs, says what is wrong, mends it and removes it", async () => {
      expect((await run("status", "-c", config)).code).to.equal(2);
      expect((await run("install", "-c", config)).code).to.equal(0);
      expect((await run("status", "-c", config)).code).to.equal(0);
      await sql("INSERT INTO item VALUES (1)");
      expect(await captured()).to.equal(1);
      await sql("ALTER TABLE item ADD COLUMN v INT");
      const drifted = await run("status", "-c", config, "--json");
      expect(drifted.code).to.equal(1);
      expect(JSON.parse(drifted.out.at(-1)!)).to.deep.include({ ok: false });
      expect(drifted.out.join("\n")).to.contain("drifted");
      expect((await run("install", "-c", config)).code).to.equal(0);
      expect((await run("status", "-c", config)).code).to.equal(0);
      expect((await run("remove", "-c", config)).code).to.equal(0);
      expect((await run("status", "-c", config)).code).to.equal(1);
      await sql("INSERT INTO item (id) VALUES (2)");
      expect(await captured()).to.equal(1);
    });

    it("--sql prints a script and changes nothing", async () => {
      await run("install", "-c", config);
      await run("remove", "-c", config);
      const { out, code } = await run("install", "-c", config, "--sql");
      expect(code).to.equal(0);
      expect(out.join("\n")).to.match(/create trigger/i);
      expect((await run("status", "-c", config)).code).to.equal(1);
    });

    it("refuses tables without a primary key, whichever the capture, and says so beside a script", async () => {
      await sql("CREATE TABLE heap (id INT)");
      await run("install", "-c", config);
      for (const capture of ["trigger", kind === "postgres" ? "wal" : "binlog"]) {
        await configure({ capture, captureTables: ["item", "heap", "itme"] });
        for (const [command, ...more] of [["status"], ["install"], ["install", "--sql"]]) {
          const { code, out, error } = await run(command!, "-c", config, ...more);
          const said = more.length > 0 ? error : out.join("\n");
          expect(code).to.equal(1);
          expect(said).to.match(/heap.* no primary key: give it one, or leave it out/);
          expect(said).to.contain("itme: the table doesn't exist");
          if (more.length > 0) expect(out.join("\n")).not.to.contain("refused");
        }
      }
      await sql("DROP TABLE heap");
    });

    it("switches while it is written to, both ways, and loses nothing", async () => {
      await configure({ capture: "subscriber" });
      await run("install", "-c", config);
      const to = async (kind: string, ...more: string[]) =>
        run("switch", "-c", config, "--to", kind, ...more);
      expect((await to("trigger", "--finish")).code).to.equal(2);
      expect((await to("trigger")).code).to.equal(0);
      await sql("INSERT INTO item VALUES (1)");
      expect((await to("trigger", "--finish")).out.join("\n")).to.contain('captured by "trigger" alone');
      await sql("INSERT INTO item VALUES (2)");
      expect(await captured()).to.equal(2);
      expect((await to("subscriber")).code).to.equal(0);
      await sql("INSERT INTO item VALUES (3)");
      expect(await captured()).to.equal(3);
      expect((await to("subscriber", "--finish", "--force")).code).to.equal(0);
      await sql("INSERT INTO item VALUES (4)");
      expect(await captured()).to.equal(3);
    });

    it("doesn't end with subscriber as long as it sees writes that no process wrote down", async () => {
      const log = kind === "postgres" ? "wal" : "binlog";
      const to = async (to: string, ...more: string[]) => run("switch", "-c", config, "--to", to, ...more);
      let next = 1;
      const finish = async () => {
        let isOver = false;
        const finishing = to("subscriber", "--finish", "--seconds", "1").finally(() => (isOver = true));
        for (; !isOver; await sleep(50)) await sql(`INSERT INTO item VALUES (${next++})`);
        return finishing;
      };
      await run("install", "-c", config);
      await to("trigger");
      await to("trigger", "--finish");
      expect((await to("subscriber")).code).to.equal(0);
      const refused = await finish();
      expect(refused.error).to.contain("CAPTURE_UNSEEN_WRITES").and.to.contain("item");
      expect(refused.code).to.equal(2);
      expect((await to("subscriber", "--finish", "--seconds", "0.2")).code).to.equal(0);

      expect((await to(log)).error).to.equal("");
      expect((await to(log, "--finish")).out.join("\n")).to.contain(`captured by "${log}" alone`);
      expect((await to("subscriber")).out.join("\n")).to.contain("is read until --finish");
      // MariaDB counts no writes unless it is told to.
      if (kind === "postgres") expect((await finish()).error).to.contain("CAPTURE_UNSEEN_WRITES");
      expect((await to("subscriber", "--finish", "--seconds", "0.2")).error).to.equal("");
      const [row] = await sql(
        `SELECT capture FROM ${kind === "postgres" ? "lockstep.state" : "lockstep_state"}`,
      );
      expect(row!["capture"]).to.equal("subscriber");
    });

    it("refuses a capture of the other engine", async () => {
      await run("install", "-c", config);
      const refused = await run("switch", "-c", config, "--to", kind === "postgres" ? "binlog" : "wal");
      expect(refused.code).to.equal(2);
      expect(refused.error).to.contain("is for");
    });

    it("takes the tables from a DataSource module", async () => {
      const module = join(folder, "data-source.mjs");
      const typeorm = import.meta.resolve("typeorm");
      const type = kind === "postgres" ? "postgres" : "mariadb";
      await writeFile(
        module,
        `import { DataSource, EntitySchema } from ${JSON.stringify(typeorm)};
         const item = new EntitySchema({ name: "item", columns: { id: { type: "int", primary: true } } });
         export default new DataSource({ type: "${type}", url: ${JSON.stringify(database.url)}, entities: [item], synchronize: true });`,
      );
      const of = ["--data-source", module, "--capture", "trigger"];
      expect((await run("install", ...of)).error).to.equal("");
      expect((await run("status", ...of)).code).to.equal(0);
      await sql("INSERT INTO item VALUES (1)");
      expect(await captured()).to.equal(1);
    });

    it("says that a user lacks rights", async () => {
      const isPostgres = kind === "postgres";
      const user = `weak_${Math.floor(Math.random() * 1e9)}`;
      await sql(
        isPostgres ? `CREATE ROLE ${user} LOGIN PASSWORD 'weak'` : `CREATE USER ${user} IDENTIFIED BY 'weak'`,
      );
      await sql(isPostgres ? `GRANT SELECT ON item TO ${user}` : `GRANT SELECT ON *.* TO ${user}`);
      try {
        await run("install", "-c", config);
        await run("remove", "-c", config);
        const url = Object.assign(new URL(database.url), { username: user, password: "weak" }).href;
        await configure({ capture: "trigger", url });
        const { code, error } = await run("install", "-c", config);
        expect(code).to.equal(1);
        expect(error).to.match(
          /because: (the user lacks a right|with its binary log on the server lets only SUPER)/,
        );
      } finally {
        await sql(isPostgres ? `DROP OWNED BY ${user}` : "DO 0");
        await sql(isPostgres ? `DROP ROLE ${user}` : `DROP USER ${user}`);
      }
    });

    it("bad input ends with 2 and says what is wrong", async () => {
      expect((await run("install", "-c", config, "-s", "shpo")).code).to.equal(2);
      await configure({ capture: "trigger", captureTables: [] });
      const nothing = await run("install", "-c", config);
      expect(nothing.code).to.equal(2);
      expect(nothing.error).to.contain("captureTables");
      await configure({ capture: "trigger", captureTables: ["itme"] });
      expect((await run("install", "-c", config)).code).to.equal(2);
      expect((await run("install", "-c", config, "--capture", "nothing")).code).to.equal(2);
    });

    it("refuses to remove what targets depend on", async () => {
      await run("install", "-c", config);
      const quote = kind === "postgres" ? '"' : "`";
      const name = kind === "postgres" ? "lockstep.target" : "lockstep_target";
      await sql(
        `INSERT INTO ${name} (id, ${quote}partition${quote}, name, address, tick, n, seen_at) VALUES ('00000000-0000-4000-8000-000000000001', 0, 't', 't', 0, 0, CURRENT_TIMESTAMP)`,
      );
      await sql(
        `UPDATE ${kind === "postgres" ? "lockstep.state" : "lockstep_state"} SET capture = 'trigger'`,
      );
      expect((await run("remove", "-c", config)).code).to.equal(2);
      expect((await run("status", "-c", config)).code).to.equal(0);
      expect((await run("remove", "-c", config, "--force")).code).to.equal(0);
    });
  });
}
