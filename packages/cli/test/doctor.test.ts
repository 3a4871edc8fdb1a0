import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "@lockstep/core";
import { postgresOutboxWriter } from "@lockstep/outbox";
import { type FreshDatabase, freshMariaDb, freshPostgres, freshRedis, openSide } from "@lockstep/testing";
import { expect } from "chai";
import pg from "pg";
import { runCli } from "../src/index.js";

describe("lockstep doctor", () => {
  let source: FreshDatabase;
  let redis: Awaited<ReturnType<typeof freshRedis>>;
  let folder: string;
  let files = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "lockstep-cli-"));
    source = await freshPostgres();
    redis = await freshRedis();
    const client = new pg.Client({ connectionString: source.url });
    await client.connect();
    const run = async (sql: string, parameters?: readonly unknown[]) =>
      (await client.query<Record<string, unknown>>(sql, parameters as unknown[])).rows ?? [];
    const writer = postgresOutboxWriter();
    await writer.ensure(run);
    await run("create table items (id int primary key)");
    await writer.describe(run, [{ namespace: "public", name: "items" }]);
    await client.end();
  });
  after(async () => {
    await source?.drop();
    await redis?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const configure = async (sources: object): Promise<string> => {
    const file = join(folder, `lockstep-${++files}.config.json`);
    await writeFile(file, JSON.stringify({ redis: redis.url, sources }));
    return file;
  };
  const configureTables = (...captureTables: string[]): Promise<string> =>
    configure({ shop: { url: source.url, capture: "trigger", captureTables } });
  const run = async (...args: string[]) => {
    const out: string[] = [];
    const error: string[] = [];
    const code = await runCli(args, { out: (l) => void out.push(l), error: (l) => void error.push(l) });
    return { code, out, error: error.join("\n") };
  };

  it("finds nothing wrong with a source that is set up well, and says so with exit code 0", async () => {
    const config = await configure({ shop: { url: source.url } });
    const { code, out } = await run("doctor", "--config", config, "--seconds", "0", "--json");
    const report = JSON.parse(out.at(-1)!) as { errors: number; sources: { findings: Finding[] }[] };
    expect(report.errors, out.join("\n")).to.equal(0);
    expect(code).to.equal(0);
    expect(report.sources[0]!.findings.map((f) => f.check)).to.include.members([
      "source.version",
      "source.clock",
      "capture.tables",
      "redis.eviction",
    ]);
  });

  it("says what capture status says: triggers that are missing", async () => {
    const config = await configure({ shop: { url: source.url, capture: "trigger" } });
    const status = await run("capture", "status", "--config", await configureTables("items"));
    const { code, out } = await run("doctor", "--config", config, "--seconds", "0");
    expect(code).to.equal(1);
    const [said] = status.out.flatMap((line) => /missing +(.*)/.exec(line)?.[1] ?? []);
    expect(said).to.match(/^public\.items has no capture triggers/);
    expect(out).to.include(`  error    capture.plan: ${said}`);
    expect(out).to.include("           → lockstep capture install");
  });

  it("reports a server that is away as an error of that server, and looks at the other one", async () => {
    const config = await configure({ shop: { url: "postgres://nobody@127.0.0.1:1/none" } });
    const { code, out } = await run("doctor", "--config", config, "--seconds", "0");
    expect(code).to.equal(1);
    expect(out.join("\n")).to.match(/error +source\.reachable: source/);
    expect(out.join("\n")).to.match(/redis\.version/);
    expect(out.join("\n")).not.to.include("nobody");
  });

  it("says that the outbox is missing", async () => {
    const bare = await freshMariaDb();
    try {
      const config = await configure({ shop: { url: bare.url } });
      const { code, out } = await run("doctor", "--config", config, "--seconds", "0");
      expect(code).to.equal(1);
      expect(out.join("\n")).to.include("the source has no outbox");
    } finally {
      await bare.drop();
    }
  });

  const wrong: readonly [what: string, args: string[], sources: object, says: RegExp][] = [
    [
      "an unknown source",
      ["--source", "shup"],
      { shop: { url: "postgres://x/y" } },
      /no source "shup"; known: shop/,
    ],
    ["a source without url", [], { shop: {} }, /sources\.shop\.url/],
    [
      "a window that is no number",
      ["--seconds", "soon"],
      { shop: { url: "postgres://x/y" } },
      /from 0 to 50/,
    ],
    ["an unknown option", ["--frob"], { shop: { url: "postgres://x/y" } }, /unknown option/],
    [
      "a capture of another engine",
      ["--seconds", "0"],
      { shop: { url: "postgres://x/y", capture: "binlog" } },
      /"binlog" is for MySQL and MariaDB/,
    ],
  ];
  for (const [what, args, sources, says] of wrong) {
    it(`refuses ${what} with exit code 2`, async () => {
      const { code, error } = await run("doctor", "--config", await configure(sources), ...args);
      expect(error).to.match(says);
      expect(code).to.equal(2);
    });
  }

  for (const engine of ["PostgreSQL", "MariaDB"] as const) {
    it(`names at once what a mapping names and a source on ${engine} doesn't have`, async () => {
      const database = engine === "PostgreSQL" ? source : await freshMariaDb();
      const namespace = engine === "PostgreSQL" ? "public" : new URL(database.url).pathname.slice(1);
      if (engine === "MariaDB") {
        await using side = await openSide(database.url);
        await side.query("CREATE TABLE items (id INT PRIMARY KEY)");
      }
      const write = async (map: object): Promise<string> => {
        const file = join(folder, `lockstep-${++files}.config.json`);
        const targets = { t: { type: "postgres", url: "postgres://h/d", sources: ["shop"], map } };
        await writeFile(
          file,
          JSON.stringify({ redis: redis.url, sources: { shop: { url: database.url } }, targets }),
        );
        return file;
      };
      const wrong = await write({
        items: { columns: { id: true, a: "no_such" } },
        "old.items": { to: "older" },
        [`${namespace}.gone`]: false,
      });
      const { code, out } = await run("doctor", "--config", wrong, "--seconds", "0");
      const text = out.join("\n");
      expect(code).to.equal(1);
      expect(text)
        .to.include("names old.items, which the source doesn't have")
        .and.to.include(`Did you mean ${namespace}.items?`);
      expect(text)
        .to.include(`names ${namespace}.gone`)
        .and.to.include("columns.a: there is no column no_such");
      const fits = await run(
        "doctor",
        "--config",
        await write({ items: { to: "things" } }),
        "--seconds",
        "0",
      );
      expect(fits.out.join("\n")).to.include("targets.t.map: fits the source");
      if (engine === "MariaDB") await database.drop();
    });
  }
});
