import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { postgresTarget } from "@lockstep/target-postgres";
import { type FreshDatabase, freshPostgres } from "@lockstep/testing";
import { expect } from "chai";
import { runCli } from "../src/index.js";

describe("lockstep conflicts", () => {
  let database: FreshDatabase;
  let folder: string;

  before(async () => {
    [database, folder] = await Promise.all([freshPostgres(), mkdtemp(join(tmpdir(), "lockstep-cli-"))]);
    const target = postgresTarget({ name: "copy", url: database.url });
    await target.open();
    await using lane = (await target.lane({ source: "shop", partition: 0 }))!;
    const from = await lane.register({ position: "0-0", incarnation: "i" });
    const common = {
      table: "public.items",
      position: "1-1",
      policy: "merge",
      source: '{"note":"secret"}',
    } as const;
    await lane.step({ from, to: "1-1", total: 1, incarnation: "i", records: 0 }, (transaction) =>
      transaction.guarded!.record([
        { ...common, key: '["1"]', outcome: "merged" },
        { ...common, key: '["2"]', outcome: "target" },
      ]),
    );
    await target.close();
    const config = {
      redis: "redis://127.0.0.1:1",
      sources: { shop: {} },
      targets: { copy: { type: "postgres", url: database.url } },
    };
    await writeFile(join(folder, "lockstep.config.json"), JSON.stringify(config));
  });
  after(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  const run = async (...args: readonly string[]) => {
    const out: string[] = [];
    const errors: string[] = [];
    const terminal = {
      out: (line: string) => void out.push(line),
      error: (line: string) => void errors.push(line),
    };
    const config = join(folder, "lockstep.config.json");
    return { code: await runCli(["conflicts", "--config", config, ...args], terminal), out, errors };
  };

  it("shows who won where, the newest first, and no values", async () => {
    const { code, out } = await run("--json");
    expect([code, out.length]).deep.equal([0, 3]);
    expect(out[0]).match(/^\d{4}-\S+Z {2}shop → copy {2}public\.items \["2"\] {2}merge: target$/);
    expect(JSON.parse(out[2]!).conflicts[1]).include({
      target: "copy",
      table: "public.items",
      outcome: "merged",
    });
    expect(out.join("")).not.contain("secret");
    expect((await run("--outcome", "merged", "--entity", "items")).out).length(1);
    expect((await run("--since", "2999-01-01")).out).deep.equal(["no conflicts"]);
  });

  it("refuses what it doesn't know", async () => {
    expect((await run("--target", "nobody")).errors.join()).contain(
      'there is no target "nobody"; known: copy',
    );
    expect((await run("--outcome", "mine")).code).equal(2);
    expect((await run("--since", "soon")).code).equal(2);
  });
});
