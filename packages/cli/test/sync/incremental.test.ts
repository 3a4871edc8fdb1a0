import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@lockstep/core";
import { outboxWriterOf, runAtSource, sourceOfUrl } from "@lockstep/publisher/capture";
import { eventually, freshPostgres, freshRedis } from "@lockstep/testing";
import { expect } from "chai";
import { type Kind, runHere, untilEqual } from "./rig.js";
import { openUntouchedRig, type UntouchedRig } from "./untouched-rig.js";

interface Result {
  readonly state: string;
  readonly rows: number;
  readonly removed: number;
  readonly passes: number;
}

interface Verified {
  readonly reports: readonly { readonly tables: readonly { readonly rows: { readonly source: number } }[] }[];
}

interface Way {
  readonly kind: Kind;
  readonly store: Kind;
  readonly target: Kind;
  /** The first process that copies is killed. */
  readonly isKilled?: true;
}

const ways: readonly Way[] = [
  { kind: "postgres", store: "mariadb", target: "postgres" },
  { kind: "mariadb", store: "postgres", target: "mariadb", isKilled: true },
];

for (const { kind, store, target, isKilled } of ways) {
  describe(`an incremental sync of ${kind}, with its state in ${store}, to ${target}`, () => {
    let rig: UntouchedRig;
    const time = kind === "postgres" ? "timestamptz" : "timestamp(6)";
    const now = kind === "postgres" ? "clock_timestamp()" : "current_timestamp(6)";
    const ago = (seconds: number): string =>
      kind === "postgres" ? `now() - interval '${seconds} s'` : `now() - interval ${seconds} second`;
    before(async () => {
      rig = await openUntouchedRig({
        kind,
        store,
        targets: { mirror: target },
        tables: ["invoice"],
        setup: [
          `create table invoice (region varchar(8), id int, note text, changed_at ${time} not null default ${now}, primary key (region, id))`,
          "create index invoice_changed on invoice (changed_at, region, id)",
          // Two with each value, and spread over more than an overlap.
          `insert into invoice values ${numbers(2_500)
            .map((n) => `('r${n % 7}', ${n}, 'note ${n}', ${ago(3_000 - Math.floor(n / 2))})`)
            .join(", ")}`,
        ],
        incremental: { invoice: { column: "changed_at" } },
      });
    });
    after(async () => rig?.[Symbol.asyncDispose]());

    const pass = async (...args: readonly string[]): Promise<Result> => {
      const said = await rig.lockstep("sync", "incremental", "--json", ...args);
      expect(said.code, said.error).to.equal(0);
      return said.json<Result>();
    };

    it("copies rows that share a change value, then what has changed, and nothing in between", async () => {
      const sent = isKilled ? await copyAndKill(rig) : 0;
      // The server frees the lock of a process that is gone a moment later.
      const said = await eventually(
        async () => {
          const said = await rig.lockstep("sync", "incremental", "--json");
          return said.error.includes("JOB_LIVE") ? undefined : said;
        },
        { what: "the lock of the process that is gone", timeoutMs: 60_000 },
      );
      expect(said.code, said.error).to.equal(0);
      const first = said.json<Result>();
      expect(first).to.deep.include({ state: "done", passes: 1, rows: 2_500 - sent });
      await untilEqual(rig, "mirror");
      if (isKilled) expect(await sentKeys(rig)).to.deep.equal({ rows: 2_500, keys: 2_500 });
      const { source } = rig;
      await source.query(`update invoice set note = 'changed', changed_at = ${now} where id % 500 = 0`);
      await source.query(`insert into invoice values ('r9', 1, null, ${now})`);
      expect((await pass()).rows).to.be.within(6, 2_506);
      await untilEqual(rig, "mirror");
      const [row] = await rig.targets["mirror"]!.query(
        "select count(*) as n from invoice where note = 'changed'",
      );
      expect(Number(row!["n"])).to.equal(5);
    });

    it("removes rows that the source no longer has, when it is asked to", async () => {
      await rig.source.query("delete from invoice where id between 100 and 119");
      expect((await pass()).removed).to.equal(0);
      expect((await rig.compare("mirror")).extra).to.equal(20);
      expect((await pass("--deletes")).removed).to.equal(20);
      await untilEqual(rig, "mirror");
    });

    it("leaves nothing in the source, and is refused what would", async () => {
      const tables = await rig.source.query(
        `select table_schema as s, table_name as t from information_schema.tables where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')
          and (table_schema = '${rig.source.namespace}' or table_schema = 'lockstep')`,
      );
      expect(tables.map((row) => String(row["t"]))).to.deep.equal(["invoice"]);
      for (const command of ["capture install", "capture status", "capture remove", "sync full", "repair"]) {
        const said = await rig.lockstep(...command.split(" "));
        expect([said.code, said.error], command).to.satisfy(
          ([code, error]: [number, string]) => code === 2 && error.includes("SOURCE_UNTOUCHED"),
        );
      }
    });

    it("says in one error what is wrong, before anything moves", async () => {
      const problems: readonly (readonly [object, RegExp])[] = [
        [{ nothing: { column: "changed_at" } }, /ENTITY_UNKNOWN.*|no table nothing/],
        [{ invoice: { column: "updated" } }, /no column updated[^]*ALTER TABLE[^]*INCREMENTAL_COLUMN/],
        [{ invoice: { column: "note" } }, /invoice\.note is .*INCREMENTAL_COLUMN/],
        [{ invoice: { column: "id" } }, /no index of .*invoice begins with id.*INCREMENTAL_INDEX/],
        [{ invoice: { column: "changed_at", kind: "epoch-s" } }, /can't be read as epoch-s/],
      ];
      for (const [incremental, error] of problems) {
        await rig.configure(incremental);
        const said = await rig.lockstep("sync", "incremental");
        expect([said.code, said.out]).to.deep.equal([2, []]);
        expect(said.error).to.match(error);
      }
      await rig.configure({ invoice: { column: "changed_at" } });
      for (const [args, error] of [
        [["--entity", "nothing"], /"nothing" is not in sources\.vendor\.incremental; known: invoice/],
        [["--anew", "--target", "nobody"], /no target "nobody"; known: mirror/],
        [["--target", "mirror"], /--target goes with --anew/],
      ] as const) {
        const said = await rig.lockstep("sync", "incremental", ...args);
        expect([said.code, said.error]).to.satisfy(
          ([code, text]: [number, string]) => code === 2 && error.test(text),
        );
      }
    });

    it("is compared by verify and examined by doctor", async () => {
      const verified = await rig.lockstep("verify", "--json");
      expect(verified.code, verified.error).to.equal(0);
      const [report] = verified.json<Verified>().reports;
      expect(report!.tables[0]!.rows.source).to.equal(2_481);
      await rig.targets["mirror"]!.query("update invoice set note = 'by hand' where id = 7");
      expect((await rig.lockstep("verify", "--json")).json()).to.deep.include({ different: 1 });
      const examined = await rig.lockstep("doctor", "--seconds", "0", "--json");
      expect(examined.code, examined.out.join("\n")).to.equal(0);
      expect(examined.out.join("\n")).to.match(
        /incremental.tables: invoice: changes are found by changed_at/,
      );
    });

    it("sends every row once more to a target that is to get them anew", async () => {
      await rig.targets["mirror"]!.query("delete from invoice where id > 1000");
      expect((await pass("--anew", "--target", "mirror")).rows).to.be.at.least(2_481);
      await untilEqual(rig, "mirror");
    });

    if (isKilled) return;

    it("makes pass after pass until it is told to stop", async () => {
      const process = await rig.start("sync", "incremental", "--every", "0.2", "--json");
      for (const n of [1, 2]) {
        await rig.source.query(`insert into invoice values ('every', ${n}, null, ${now})`);
        await untilEqual(rig, "mirror");
      }
      expect(await process.stop(), process.output.join("\n")).to.equal(0);
      expect(JSON.parse(process.output.at(-1)!)).to.deep.include({ state: "done" });
      await process[Symbol.asyncDispose]();
    });
  });
}

describe("an incremental sync beside capture", () => {
  it("is refused tables that are captured, and takes those that aren't", async () => {
    const [source, redis] = [await freshPostgres(), await freshRedis()];
    const folder = await mkdtemp(join(tmpdir(), "lockstep-beside-"));
    try {
      const columns = "(id int primary key, changed_at timestamptz); create index on";
      const whereabouts = sourceOfUrl(source.url, { name: "shop", outbox: {}, logger: silentLogger });
      await runAtSource(whereabouts, async (run) => {
        await run(`create table captured ${columns} captured (changed_at)`);
        await run(`create table bare ${columns} bare (changed_at)`);
        const writer = outboxWriterOf(whereabouts);
        await writer.ensure(run);
        await writer.describe(run, [{ namespace: "public", name: "captured" }]);
      });
      const sync = async (table: string): Promise<string> => {
        const file = join(folder, `${table}.config.json`);
        const incremental = { [table]: { column: "changed_at" } };
        const sources = { shop: { url: source.url, incremental } };
        await writeFile(file, JSON.stringify({ redis: redis.url, sources }));
        return (await runHere(["sync", "incremental", "--config", file])).error;
      };
      expect(await sync("captured")).to.match(
        /captured by subscriber already: public\.captured.*INCREMENTAL_CAPTURED/,
      );
      // The next thing that is missing.
      expect(await sync("bare")).to.match(/there is no target/);
    } finally {
      await Promise.all([source.drop(), redis.drop(), rm(folder, { recursive: true })]);
    }
  });
});

/** Keys of the rows that were ever written into the outbox, which forgets them. */
async function sentKeys({ store }: UntouchedRig): Promise<{ readonly rows: number; readonly keys: number }> {
  const [row] = await store.query("select count(*) as n, count(distinct key) as k from sent where op = 's'");
  return { rows: Number(row!["n"]), keys: Number(row!["k"]) };
}

/** Some of the rows, and then the process is gone. */
async function copyAndKill(rig: UntouchedRig): Promise<number> {
  await rig.store.query("create table sent (op text, key text)");
  await rig.store.query(
    "create function note() returns trigger language plpgsql as $$ begin insert into public.sent values (new.op, new.key); return null; end $$",
  );
  await rig.store.query(
    "create trigger note after insert on lockstep.outbox for each row execute function note()",
  );
  const process = await rig.start("sync", "incremental", "--rate", "1000");
  await eventually(async () => (await sentKeys(rig)).rows > 500, {
    what: "some rows",
    intervalMs: 10,
  });
  await process.kill();
  await process[Symbol.asyncDispose]();
  const { rows } = await sentKeys(rig);
  expect(rows).to.be.lessThan(2_500);
  return rows;
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
