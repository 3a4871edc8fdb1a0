import { setTimeout as pause } from "node:timers/promises";
import type { SourceRow } from "@lockstep/core";
import type { VerifyReport } from "@lockstep/sync";
import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { type Kind, openSyncRig, type SyncRig } from "./rig.js";

interface Said {
  readonly reports: readonly VerifyReport[];
  readonly different: number;
  readonly removed: number;
}

const map = {
  supplier: {
    to: "contact",
    columns: { kind: { fixed: "supplier" }, id: true, company: true },
    key: ["kind", "id"],
    where: (row: SourceRow) => row["company"] !== "hidden",
  },
  member: {
    to: "contact",
    columns: { kind: { fixed: "member" }, id: true, company: { hash: "name" } },
    key: ["kind", "id"],
  },
};

const numbers = Array.from({ length: 60 }, (_, i) => i + 1);

function told({ reports }: Said): string[] {
  return reports
    .flatMap(({ tables }) =>
      tables.flatMap(({ table, differences }) =>
        differences.map(
          ({ kind, key, columns }) =>
            `${table.split(".")[1]} ${kind} ${key?.join()} ${columns?.join() ?? ""}`,
        ),
      ),
    )
    .toSorted();
}

const kinds: readonly Kind[] =
  process.env["LOCKSTEP_COVERAGE"] === "all" ? ["postgres", "mariadb"] : ["postgres"];

for (const kind of kinds) {
  describe(`verify and repair of hashes in Redis, from ${kind}`, () => {
    let rig: SyncRig;
    before(async () => {
      const bytes = kind === "postgres" ? "bytea" : "varbinary(20)";
      rig = await openSyncRig({
        kind,
        capture: "trigger",
        targets: { cache: "redis" },
        tables: ["item", "supplier", "member", "blobs"],
        setup: [
          "create table item (a varchar(20), n int, price numeric(12,2), at timestamp(3), flag boolean, primary key (a, n))",
          "create table supplier (id int primary key, company varchar(40))",
          "create table member (id int primary key, name varchar(40))",
          `create table blobs (k ${bytes} primary key, v double precision)`,
        ],
        map: { cache: map },
      });
      await rig.source.query(
        `insert into item values ${numbers.map((n) => `('a:${n % 3}%', ${n}, ${n}.50, '2026-01-01 00:00:00.120', ${n % 2 === 0})`).join(", ")}`,
      );
      await rig.source.query("insert into supplier values (1, 'Acme'), (2, 'hidden'), (3, null)");
      await rig.source.query("insert into member values (1, 'Ann')");
      const hex = (text: string) => (kind === "postgres" ? `'\\x${text}'` : `x'${text}'`);
      await rig.source.query(`insert into blobs values (${hex("00ff")}, 0.1), (${hex("0a")}, 1e30)`);
    });
    after(async () => rig?.[Symbol.asyncDispose]());

    const say = async (...args: string[]) => {
      const { code, error, out, json } = await rig.lockstep(...args, "--json");
      expect(out.at(-1)?.startsWith("{"), `${error} ${out.join("\n")}`).equal(true);
      return { code, ...json<Said>() };
    };

    it("finds nothing where every hash holds its row", async () => {
      await say("verify");
      const said = await say("verify", "--slice", "10");
      expect(told(said)).deep.equal([]);
      expect(
        said.reports[0]!.tables.map(({ rows, leftOut }) => [rows.source, rows.target, leftOut]),
      ).deep.members([
        [60, 60, []],
        [2, 2, []],
        [1, 1, []],
        [2, 2, []],
      ]);
      expect(said.code).equal(0);
    });

    it("finds what was done to the hashes by hand while the source is written to, and repairs it", async () => {
      const cache = rig.caches["cache"]!;
      await using app = await rig.session();
      let isOver = false;
      const writes = (async () => {
        for (let n = 1; !isOver; n++) {
          await app.query(`update item set price = ${n} where n = ${31 + (n % 20)}`);
          await app.query(`update supplier set company = '${n % 2 === 0 ? "hidden" : "shown"}' where id = 3`);
          await pause(20);
        }
      })();
      const own = (table: string) =>
        `00000000000000000001-00000000000000000001-00000000000000000001 ${table}`;
      const namespace = rig.source.namespace;
      await cache.del("item:a%3A1%25:1");
      await cache.hset("item:a%3A2%25:2", "price", "0");
      await cache.hdel("item:a%3A0%25:3", "at");
      await cache.hset("item:x:99", { _lockstep: own(`${namespace}.item`), a: "x", n: "99" });
      await cache.hset("item:x:98", { a: "x", n: "98" });
      await cache.set("item:x:97", "somebody's own");
      await cache.hset("contact:supplier:2", { _lockstep: own("mapped.contact"), kind: "supplier", id: "2" });
      await cache.hset("contact:member:1", "company", "in clear");
      const expected = [
        "item differing a:0%,3 at",
        "item differing a:2%,2 price",
        "item extra x,99 ",
        "item missing a:1%,1 ",
        "member differing 1 company",
        "supplier extra 2 ",
      ];
      expect(told(await say("verify", "--slice", "10"))).deep.equal(expected);
      const repaired = await say("repair");
      expect(repaired.code).equal(0);
      expect(repaired.reports[0]!.tables.reduce((sum, { mended }) => sum + mended!.sent, 0)).equal(6);
      const after = await say("verify", "--slice", "10");
      isOver = true;
      await writes;
      expect([after.different, after.code]).deep.equal([0, 0]);
      expect(await cache.exists("item:x:98", "item:x:97")).equal(2);
    });

    it("loses what the source doesn't have in a full sync", async () => {
      const cache = rig.caches["cache"]!;
      const version = "00000000000000000001-00000000000000000001-00000000000000000001";
      await cache.hset("item:x:99", {
        _lockstep: `${version} ${rig.source.namespace}.item`,
        a: "x",
        n: "99",
      });
      await cache.hset("contact:supplier:9", {
        _lockstep: `${version} mapped.contact`,
        kind: "supplier",
        id: "9",
      });
      const said = await say("sync", "full");
      expect([said.code, said.removed]).deep.equal([0, 2]);
      expect((await say("verify")).code).equal(0);
    });

    it("begins anew where it is when Redis has lost what it took", async () => {
      const cache = rig.caches["cache"]!;
      // What is left is at positions that say nothing any more.
      for (const key of await cache.keys("*")) if (!key.startsWith("item:a%3A1")) await cache.del(key);
      await rig.source.query("delete from item where n = 4");
      await eventually(async () => (await rig.laneStates("cache")).includes("halted"), {
        what: "a lane that has halted",
      });
      const said = await say("sync", "full", "--anew", "--target", "cache");
      expect([said.code, said.removed]).deep.equal([0, 1]);
      await rig.source.query("update item set price = 1.25 where n = 7");
      expect(told(await say("verify"))).deep.equal([]);
      expect(await cache.hget("item:a%3A1%25:7", "price")).equal("1.25");
      expect(await cache.hget("item:a%3A1%25:7", "_lockstep")).match(/^g0*1-/);
    });
  });
}
