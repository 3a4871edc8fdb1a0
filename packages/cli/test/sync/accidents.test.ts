import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { VerifyReport } from "@lockstep/sync";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { openSyncRig, type SyncRig, untilEqual } from "./rig.js";

interface Said {
  readonly reports: readonly VerifyReport[];
  readonly different: number;
}

const tables = [
  "create table customer (id int primary key, name varchar(40))",
  "create table purchase (id int primary key, customer int not null references customer, note varchar(40))",
];
const numbers = Array.from({ length: 300 }, (_, i) => i + 1);
const own = ["checkpoint", "dead_letter", "staging"];

describe("accidents of a target with foreign keys, while the source is written to", () => {
  let rig: SyncRig;
  let folder: string;
  let stopWrites = async (): Promise<void> => undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "lockstep-accidents-"));
    rig = await openSyncRig({
      kind: "postgres",
      capture: "trigger",
      targets: { mirror: "postgres" },
      tables: ["purchase", "customer"],
      setup: tables,
      external: tables,
    });
    await rig.source.query(`insert into customer values ${numbers.map((n) => `(${n}, 'n')`).join(", ")}`);
    await rig.source.query(
      `insert into purchase values ${numbers.map((n) => `(${n}, ${1 + (n % 200)}, 'n')`).join(", ")}`,
    );
    await untilEqual(rig, "mirror");
    const app = await rig.session();
    let isOver = false;
    const writes = (async () => {
      for (let n = 1; !isOver; n++) {
        await app.query(`update customer set name = 'changed ${n}' where id = ${201 + (n % 90)}`);
        await app.query(`insert into customer values (${1000 + n}, 'new')`);
        await app.query(`insert into purchase values (${1000 + n}, ${1000 + n}, 'new')`);
        if (n % 3 === 0) await app.query(`delete from purchase where id = ${1000 + n}`);
        await pause(10);
      }
    })();
    stopWrites = async () => {
      isOver = true;
      await writes;
      await app[Symbol.asyncDispose]();
    };
  });
  after(async () => {
    await stopWrites();
    await rig?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const say = async (...args: string[]) => {
    const { code, error, out, json } = await rig.lockstep(...args, "--json");
    expect(out.at(-1)?.startsWith("{"), `${error} ${out.join("\n")}`).equal(true);
    return { code, out, ...json<Said>() };
  };
  const mirror = (sql: string) => rig.targets["mirror"]!.query(sql);
  const backup = async (name: string): Promise<void> => {
    await mirror(`create schema ${name}`);
    const copies = ["customer", "purchase"].map(
      (table) => `create table ${name}.${table} as table public.${table}`,
    );
    const records = own.map((table) => `create table ${name}.${table} as table lockstep.${table}`);
    // One state of all tables, as a backup has it.
    await mirror(["begin isolation level repeatable read", ...copies, ...records, "commit"].join("; "));
  };
  const restore = (name: string) =>
    mirror(
      [
        "begin",
        // As a lane does, whose steps are over then: the other way round each would wait for the other.
        "lock table lockstep.checkpoint in access exclusive mode",
        "truncate purchase, customer",
        ...["customer", "purchase"].map((table) => `insert into public.${table} table ${name}.${table}`),
        ...own.map((table) => `delete from lockstep.${table}`),
        ...own.map((table) => `insert into lockstep.${table} overriding system value table ${name}.${table}`),
        "commit",
      ].join("; "),
    );
  const positionOfTarget = async () =>
    String((await mirror("select position from lockstep.checkpoint"))[0]!["position"]);

  it("repairs what a saved report names, parents before their children, and judges each row anew", async () => {
    await mirror("delete from purchase where customer in (5, 6, 7)");
    await mirror("delete from customer where id in (5, 6, 7)");
    await mirror("insert into customer values (9001, 'extra')");
    await mirror("insert into purchase values (9001, 9001, 'extra')");
    await mirror("update purchase set note = 'other' where id in (150, 151)");
    const found = await say("verify", "--slice", "50");
    expect(found.different).equal(3 + 6 + 2 + 2);
    const file = join(folder, "report.txt");
    await writeFile(file, found.out.join("\n"));
    await mirror("update purchase set note = 'n' where id = 150");
    await mirror("update purchase set note = 'later' where id = 152");
    const dry = await say("repair", "--report", file, "--dry-run");
    expect(dry.different).equal(12);
    const repaired = await say("repair", "--report", file);
    const mended = repaired.reports[0]!.tables.map(({ table, mended }) => [table, mended]);
    expect(mended).deep.equal([
      ["public.customer", { sent: 4, remaining: 0 }],
      ["public.purchase", { sent: 8, remaining: 0 }],
    ]);
    expect(repaired.code).equal(0);
    // None was refused on its way, for want of its parent or for the sake of its children.
    expect(await mirror("select id from lockstep.dead_letter")).deep.equal([]);
    const left = await say("verify");
    expect(left.reports[0]!.tables.flatMap(({ differences }) => differences)).deep.equal([
      { kind: "differing", key: ["152"], columns: ["note"] },
    ]);
    expect((await say("repair")).code).equal(0);
    for (const [text, message] of [
      ["{}", "doesn't end with what"],
      [
        '{"reports":[{"source":"shop","target":"mirror","tables":[{"table":"t","differences":[{"key":"x"}]}]}]}',
        "doesn't end",
      ],
    ] as const) {
      await writeFile(file, text);
      const refused = await rig.lockstep("repair", "--report", file);
      expect([refused.code, refused.error.includes(message)], refused.error).deep.equal([2, true]);
    }
  });

  it("goes on by itself from the checkpoint of a backup that is put back", async () => {
    await backup("first");
    const old = await positionOfTarget();
    await eventually(
      async () => Number((await positionOfTarget()).split("-")[0]) > Number(old.split("-")[0]) + 20,
      {
        what: "changes behind the backup",
      },
    );
    await restore("first");
    const said = await say("verify", "--slice", "50");
    expect([said.different, said.code]).deep.equal([0, 0]);
  });

  it("stops with HISTORY_GONE when what came after the backup is gone, and is equal again after sync full --anew", async () => {
    await backup("second");
    const old = await positionOfTarget();
    await eventually(
      async () => Number((await positionOfTarget()).split("-")[0]) > Number(old.split("-")[0]) + 20,
      {
        what: "changes behind the backup",
      },
    );
    await stopWrites();
    await untilEqual(rig, "mirror");
    const through = (await positionOfTarget()).split("-")[0];
    await eventually(
      async () =>
        Number((await rig.source.query("select tick from lockstep.target"))[0]!["tick"]) >= Number(through),
      { what: "a source that knows how far the target is" },
    );
    // As pruning does when the grace period is over.
    await rig.source.query(
      `update lockstep.state set pruned_through = ${through}, pruned_total = (select total from lockstep.tick where n = ${through})`,
    );
    await rig.source.query(`delete from lockstep.tick where n < ${through}`);
    await rig.source.query("delete from lockstep.outbox");
    await rig.emptyRedis();
    await restore("second");
    // A lane sees that its checkpoint was moved when the next change comes.
    await rig.source.query("update customer set name = 'after it' where id = 1");
    await eventually(async () => (await rig.laneStates("mirror")).includes("halted"), {
      what: "a lane that has halted",
    });
    const behind = await rig.lockstep("verify", "--timeout", "0.5");
    expect(behind.error).match(/TARGET_BEHIND/);
    const said = await rig.lockstep("sync", "full", "--anew", "--json");
    expect(said.code, said.error).equal(0);
    const after = await say("verify");
    expect([after.different, after.code]).deep.equal([0, 0]);
    await untilEqual(rig, "mirror");
  });

  it("follows another source, whose positions are lower, after sync full --anew: acknowledgements of before say nothing", async () => {
    const before = Number((await positionOfTarget()).split("-")[0]);
    await mirror("insert into customer values (9002, 'of before')");
    await rig.replaceSource();
    await rig.source.query("update customer set name = 'of the new source' where id = 3");
    await eventually(async () => (await rig.laneStates("mirror")).includes("halted"), {
      what: "a lane that has halted",
    });
    expect((await rig.lockstep("verify", "--timeout", "0.5")).error).match(/TARGET_BEHIND/);
    expect((await rig.lockstep("sync", "full")).error).match(/TARGET_NOT_FOLLOWING/);
    const began = performance.now();
    const said = await rig.lockstep("sync", "full", "--anew", "--json");
    expect([said.code, said.json<{ removed: number }>().removed], said.error).deep.equal([0, 1]);
    expect(performance.now() - began).lessThan(30_000);
    expect(Number((await positionOfTarget()).split("-")[0])).lessThan(before);
    const [registered] = await rig.source.query("select tick, state from lockstep.target");
    expect(Number(registered!["tick"])).lessThan(before);
    expect(registered!["state"]).equal("following");
    await rig.source.query("update customer set name = 'later' where id = 4");
    await untilEqual(rig, "mirror");
  });
});
