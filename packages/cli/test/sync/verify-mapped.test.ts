import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { SourceRow } from "@lockstep/core";
import type { VerifyReport } from "@lockstep/sync";
import { expect } from "chai";
import { type Kind, openSyncRig, type SyncRig } from "./rig.js";

interface Said {
  readonly reports: readonly VerifyReport[];
  readonly different: number;
}

const share = (kind: string, label: string) => ({
  to: "contact",
  columns: { kind: { fixed: kind }, nr: "id", label },
  key: ["kind", "nr"],
});

/** What functions can make, so that the text of each is compared with what the target's column makes of it. */
const made = {
  cents: {
    type: "integer",
    value: (row: SourceRow) => {
      if (row["title"] === "bad") throw new Error("no price");
      return BigInt((row["price"] as string).replace(".", ""));
    },
  },
  m_text: { type: "text", value: (row: SourceRow) => `a # ${String(row["title"])} ü ` },
  m_short: { type: "text(40)", value: (row: SourceRow) => row["title"] },
  m_null: { type: "text", value: () => null },
  m_exact: { type: "numeric", value: () => "-7.500" },
  m_price: { type: "numeric(12,2)", value: () => "0.10" },
  m_float: { type: "float", value: (row: SourceRow) => Number(row["id"]) / 3e21 },
  m_large: { type: "float", value: () => 1.5e30 },
  m_flag: { type: "boolean", value: (row: SourceRow) => (row["id"] as bigint) % 2n === 0n },
  m_bytes: { type: "bytes", value: () => new Uint8Array([0, 255, 35]) },
  m_uuid: { type: "uuid", value: () => "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11" },
  m_date: { type: "date", value: () => "2026-02-03" },
  m_time: { type: "time", value: () => "12:30:00.50" },
  m_at: { type: "timestamp", value: () => "2026-02-03T04:05:06.120" },
  m_zone: { type: "timestamptz", value: () => "2026-02-03T04:05:06Z" },
  m_fixed: { fixed: 7n },
};

const map = {
  item: [
    {
      to: "offer",
      columns: { "*": true, note: false, ...made },
      where: (row: SourceRow) => row["status"] !== "draft",
    },
    { to: "label", columns: { nr: "id", title: true }, key: ["nr"] },
  ],
  customer: { ...share("customer", "name"), softDeleted: "gone_at" },
  supplier: share("supplier", "company"),
  member: { columns: { email: { hash: "email" }, n: true, secret: { fixed: "***" } } },
  visit: { columns: { who: { hash: "ssn" }, mail: "email", day: true }, key: ["who", "mail"] },
};

/** Shown to nobody, though the target holds it. */
const maskColumns = ["patient.ssn", "patient.illness", "visit.email"];
const planted = /078-05|gout|lead|eve@/;

const setup = [
  "create table item (id int primary key, title varchar(40), price numeric(12,2), status varchar(10), note varchar(40))",
  "create table customer (id int primary key, name varchar(40), gone_at timestamp null)",
  "create table supplier (id int primary key, company varchar(40))",
  "create table member (email varchar(40) primary key, n int, secret varchar(40))",
  "create table patient (ssn varchar(40), clinic int, illness varchar(40), primary key (ssn, clinic))",
  "create table visit (ssn varchar(40), email varchar(40), day int, primary key (ssn, email))",
];

const items = Array.from(
  { length: 40 },
  (_, i) => `(${i + 1}, 'item ${i + 1}', ${i + 1}.50, '${i % 4 === 3 ? "draft" : "on"}', 'n')`,
);

/** `table → to kind key`, without what is only known by a hash. */
function told({ reports }: Said): string[] {
  return reports
    .flatMap(({ tables }) =>
      tables.flatMap(({ to, table, differences }) =>
        differences.map(({ kind, key }) => `${to ?? table.split(".")[1]} ${kind} ${key?.join() ?? "masked"}`),
      ),
    )
    .toSorted();
}

const ways = [
  ["postgres", "mariadb"],
  ["mariadb", "postgres"],
  ...(process.env["LOCKSTEP_COVERAGE"] === "all" ? ([["postgres", "postgres"]] as const) : []),
] as const satisfies readonly (readonly [Kind, Kind])[];

for (const [kind, target] of ways) {
  describe(`verify and repair of mapped tables, ${kind} → ${target}`, () => {
    let rig: SyncRig;
    before(async () => {
      rig = await openSyncRig({
        kind,
        capture: "trigger",
        targets: { mirror: target },
        tables: ["item", "customer", "supplier", "member", "patient", "visit"],
        setup,
        map: { mirror: map },
        maskColumns,
      });
      await rig.source.query(`insert into item values ${items.join(", ")}`);
      await rig.source.query(
        "insert into customer values (1, 'Ann', null), (2, 'Bob', '2026-01-01 00:00:00'), (3, 'Cy', null)",
      );
      await rig.source.query("insert into supplier values (1, 'Acme'), (2, 'Umbrella')");
      await rig.source.query(
        "insert into member values ('a@x', 1000, 's1'), ('b@x', 2000, 's2'), ('c@x', 3000, 's3')",
      );
    });
    after(async () => rig?.[Symbol.asyncDispose]());

    const say = async (...args: string[]) => {
      const { code, error, out, json } = await rig.lockstep(...args, "--slice", "7", "--json");
      expect(out.at(-1)?.startsWith("{"), `${error} ${out.join("\n")}`).equal(true);
      return { code, said: json<Said>(), text: out.join("\n") };
    };

    it("finds nothing where all is as the mapping makes it, and compares every column", async () => {
      expect(told((await say("verify")).said)).deep.equal([]);
      // The first one has waited for the rows.
      const { code, said } = await say("verify");
      const [report] = said.reports;
      expect(report!.tables.map(({ to, rows }) => [to, rows.source, rows.target])).deep.members([
        ["offer", 30, 30],
        [undefined, 40, 40],
        ["contact", 2, 2],
        ["contact", 2, 2],
        ["member", 3, 3],
        [undefined, 0, 0],
        ["visit", 0, 0],
      ]);
      const leftOut = report!.tables.filter(({ to }) => to !== undefined).flatMap((table) => table.leftOut);
      expect(leftOut).deep.equal([]);
      expect(code).equal(0);
    });

    it("finds what was done to the target by hand while the source is written to, shows nothing that is masked, and repairs it", async () => {
      const mirror = rig.targets["mirror"]!;
      await using app = await rig.session();
      let isOver = false;
      const writes = (async () => {
        for (let n = 1; !isOver; n++) {
          const id = 1 + (n % 20);
          await app.query(`update item set status = 'draft', price = ${n}.25 where id = ${id}`);
          await app.query(`update item set status = 'on' where id = ${id}`);
          await app.query(`insert into member values ('m${n}@x', ${n}, 's')`);
          await app.query(`update customer set gone_at = '2026-01-01 00:00:00' where id = 1`);
          await app.query(`update customer set gone_at = null where id = 1`);
          await pause(20);
        }
      })();
      const columns = "id, title, price, status, cents";
      for (const statement of [
        "delete from offer where id = 30",
        "update offer set cents = cents + 1 where id = 31",
        "update offer set m_text = 'another' where id = 33",
        `insert into offer (${columns}) values (36, 'item 36', 36.5, 'draft', 3650), (99, 'extra', 1, 'on', 1)`,
        "update label set title = 'x' where nr = 40",
        "delete from contact where kind = 'customer' and nr = 3",
        "insert into contact (kind, nr, label) values ('customer', 2, 'Bob'), ('supplier', 9, 'extra'), ('nobody', 1, 'not ours')",
        "update member set secret = 'shown' where n = 1000",
        "delete from member where n = 2000",
        "insert into member (email, n, secret) values ('0000', 1, '***')",
      ])
        await mirror.query(statement);
      const expected = [
        "contact extra 2",
        "contact extra 9",
        "contact missing 3",
        "item differing 40",
        "member differing masked",
        "member extra masked",
        "member missing masked",
        "offer differing 31",
        "offer differing 33",
        "offer extra 36",
        "offer extra 99",
        "offer missing 30",
      ];
      const found = await say("verify", "--values");
      expect(told(found.said)).deep.equal(expected);
      expect(found.text).not.match(/a@x|b@x|shown|another|\*\*\*/);
      expect(found.text).include('"title":{"source":"item 40","target":"x"}');
      expect(found.code).equal(1);
      const repaired = await say("repair");
      const again = await say("verify");
      isOver = true;
      await writes;
      // Which row of the source it was can't be told of a key that is hashed: a person deletes it.
      expect(told(again.said)).deep.equal(["member extra masked"]);
      expect(repaired.said.reports[0]!.tables.reduce((sum, { mended }) => sum + mended!.remaining, 0)).equal(
        1,
      );
      await mirror.query("delete from member where email = '0000'");
      expect((await say("verify")).code).equal(0);
    });

    it("shows nothing of columns that are hidden, keys included, and repairs from a report that hides them", async () => {
      const mirror = rig.targets["mirror"]!;
      await rig.source.query(
        "insert into patient values ('078-05-1120', 1, 'gout'), ('078-05-1121', 2, 'lead'), ('078-05-1122', 3, 'lead')",
      );
      await rig.source.query("insert into visit values ('078-05-1120', 'eve@x', 1)");
      expect((await say("verify")).code).equal(0);
      await mirror.query("delete from patient where clinic = 1");
      await mirror.query("update patient set illness = 'leads' where clinic = 2");
      await mirror.query("insert into patient values ('078-05-9999', 9, 'gout')");
      await mirror.query("delete from visit where day = 1");
      const found = await say("verify", "--values");
      expect(found.code).equal(1);
      const named = found.said.reports[0]!.tables.flatMap(({ differences }) => differences);
      expect(
        named.map(({ kind, key, targetKey, isMasked, values }) => [
          kind,
          key,
          targetKey?.[1],
          isMasked,
          values,
        ]),
      ).deep.members([
        ["missing", ["***", "1"], undefined, true, undefined],
        ["differing", ["***", "2"], undefined, true, {}],
        ["extra", ["***", "9"], undefined, true, undefined],
        ["missing", undefined, "***", true, undefined],
      ]);
      const file = join(tmpdir(), `lockstep-masked-${process.pid}-${kind}.json`);
      await writeFile(file, found.text);
      const repaired = await say("repair", "--report", file);
      await rm(file);
      expect((await say("verify")).code).equal(0);
      const reports: readonly VerifyReport[] = [];
      const place = { after: ["078-05-1120", "1"] };
      const options = {
        only: [{ target: "mirror", tables: [{ table: "x", differences: [{ key: ["078-05-1"] }] }] }],
      };
      const { id } = await rig.jobs.begin({
        kind: "repair",
        options,
        progress: { rows: 0, reports, underway: { place } },
      });
      const shown = await Promise.all([
        ...[id, String(Number(id) - 1), String(Number(id) - 2), String(Number(id) - 3)].map((job) =>
          rig.lockstep("jobs", "show", job, "--json"),
        ),
        rig.lockstep("jobs", "list", "--json"),
      ]);
      await rig.jobs.move(id, "cancelled");
      const all = [found.text, repaired.text, ...shown.flatMap(({ out, error }) => [...out, error])].join(
        "\n",
      );
      expect(all).include('["***","2"]');
      expect(all).not.match(planted);
    });

    it("says of a row on which the mapping's code fails where it failed, and calls it no difference", async () => {
      await rig.source.query("insert into item values (50, 'bad', 1.50, 'on', 'n')");
      const lettered = await say("verify");
      expect(lettered.said.reports[0]).deep.include({ letters: 2, unmapped: 0 });
      expect([lettered.said.different, lettered.code]).deep.equal([0, 0]);
      // As if the letter had been discarded.
      await rig.targets["mirror"]!.query(
        `delete from ${target === "postgres" ? "lockstep.dead_letter" : "lockstep_dead_letter"}`,
      );
      const { said, code } = await say("verify");
      expect(told(said)).deep.equal(["item missing 50", "offer unmapped 50"]);
      expect(said.reports[0]!.tables.flatMap(({ differences }) => differences)[0]!.about).match(
        /^columns.cents \(/,
      );
      expect([said.different, said.reports[0]!.unmapped, code]).deep.equal([1, 1, 1]);
      await rig.source.query("delete from item where id = 50");
      expect((await say("verify")).code).equal(0);
    });
  });
}
