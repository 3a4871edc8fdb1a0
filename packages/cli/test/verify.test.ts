import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresOutboxWriter } from "@lockstep/outbox";
import { type FreshDatabase, freshPostgres } from "@lockstep/testing";
import { expect } from "chai";
import pg from "pg";
import { runCli } from "../src/index.js";

describe("lockstep verify and repair: input", () => {
  let source: FreshDatabase;
  let target: FreshDatabase;
  let folder: string;
  let config: string;

  before(async () => {
    [source, target, folder] = await Promise.all([
      freshPostgres(),
      freshPostgres(),
      mkdtemp(join(tmpdir(), "lockstep-cli-")),
    ]);
    const client = new pg.Client({ connectionString: source.url });
    await client.connect();
    const run = async (sql: string, parameters?: readonly unknown[]) =>
      (await client.query<Record<string, unknown>>(sql, parameters as unknown[])).rows ?? [];
    const writer = postgresOutboxWriter();
    await writer.ensure(run);
    await run("create table items (id int primary key)");
    await run("create table notes (id int primary key)");
    await run("insert into items values (1)");
    await writer.describe(run, [
      { namespace: "public", name: "items" },
      { namespace: "public", name: "notes" },
    ]);
    await client.end();
    config = join(folder, "lockstep.config.json");
    const targets = { copy: { type: "postgres", url: target.url } };
    const hook = {
      type: "webhook",
      url: "http://127.0.0.1:1/",
      state: "postgres://127.0.0.1:1/state",
      secret: "0123456789abcdef0123456789abcdef",
    };
    await writeFile(
      config,
      JSON.stringify({
        redis: "redis://127.0.0.1:1",
        sources: { shop: { url: source.url } },
        targets: { ...targets, hook },
      }),
    );
  });
  after(async () => {
    await Promise.all([source.drop(), target.drop(), rm(folder, { recursive: true, force: true })]);
  });

  const run = async (...args: string[]) => {
    const out: string[] = [];
    const error: string[] = [];
    const code = await runCli([...args, "--config", config], {
      out: (line) => void out.push(line),
      error: (line) => void error.push(line),
    });
    return { code, out, error: error.join("\n") };
  };

  it("refuses what it doesn't know, in one clear error, before anything is read", async () => {
    for (const [args, message] of [
      [["--entity", "nothing"], 'no table "nothing" is captured; known: public.items, public.notes'],
      [["--entity", "Item"], "did you mean the table public.items?"],
      [["--target", "nobody"], 'there is no target "nobody"; known: copy, hook'],
      [["--target", "hook"], 'nothing can be read of the target "hook"'],
      [["--source", "nowhere"], 'there is no source "nowhere"'],
      [["--rate", "-1"], "must be a positive number"],
    ] as const) {
      for (const command of ["verify", "repair"]) {
        const { code, error } = await run(command, ...args);
        expect([code, error.includes(message)], `${command} ${args.join(" ")}: ${error}`).to.deep.equal([
          2,
          true,
        ]);
      }
    }
    expect((await run("verify", "--sample", "0")).code).to.equal(2);
  });

  it("says of a target that can't be read that it isn't compared, and compares the others", async () => {
    const { code, out, error } = await run("verify", "--entity", "notes", "--json");
    expect(error).to.equal("hook: NOT COMPARED: nothing can be read of it");
    expect(code).to.equal(0);
    expect(JSON.parse(out.at(-1)!)).to.deep.include({ different: 0 });
  });

  it("doesn't call a row missing that no lane could have brought", async () => {
    const { code, error } = await run("verify", "--entity", "public.items", "--timeout", "0.2");
    expect(error).to.include("[TARGET_BEHIND]");
    expect(code).to.equal(1);
  });
});
