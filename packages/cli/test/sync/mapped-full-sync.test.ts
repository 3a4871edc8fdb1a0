import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { openSyncRig, type SyncRig } from "./rig.js";

const setup = [
  "create table customer (id int primary key, name varchar(40), secret varchar(40), gone_at timestamp)",
  "create table supplier (id int primary key, company varchar(40))",
  "insert into customer values (1, 'Ann', 's1', null), (2, 'Bob', 's2', '2026-01-01'), (3, 'Cy', 's3', null)",
  "insert into supplier values (1, 'Acme'), (2, 'Umbrella')",
];

const share = (kind: string, label: string) => ({
  to: "contact",
  columns: { kind: { fixed: kind }, nr: "id", label },
  key: ["kind", "nr"],
});

/** As a JSON file can have it: without functions. */
const map = {
  customer: [
    { ...share("customer", "name"), softDeleted: "gone_at" },
    { to: "person", columns: { "*": true, secret: false } },
  ],
  supplier: share("supplier", "company"),
};

for (const target of ["postgres", "mariadb"] as const) {
  describe(`a mapped target (${target}), from the configuration to the rows`, () => {
    let rig: SyncRig;
    before(async () => {
      rig = await openSyncRig({
        kind: "postgres",
        capture: "trigger",
        targets: { mirror: target },
        tables: ["customer", "supplier"],
        setup,
        map: { mirror: map },
      });
    });
    after(async () => rig?.[Symbol.asyncDispose]());

    const contacts = async (): Promise<string[]> => {
      const rows = await rig.targets["mirror"]!.query(
        "select kind, nr, label from contact order by kind, nr",
      );
      return rows.map((row) => Object.values(row).join(" "));
    };
    const people = async (): Promise<string[]> =>
      (await rig.targets["mirror"]!.query("select * from person order by id")).map(
        (row) => `${row["id"]} ${row["name"]}`,
      );
    const shows = (read: () => Promise<string[]>, rows: readonly string[]) =>
      eventually(async () => expect(await read()).deep.equal(rows), {
        what: "the mapped rows",
      });

    it("gets live changes in its own shape", async () => {
      await rig.source.query("insert into customer values (4, 'Di', 's4', null)");
      await rig.source.query("update customer set gone_at = now() where id = 4");
      await rig.source.query("insert into customer values (5, 'Ed', 's5', null)");
      await shows(contacts, ["customer 5 Ed"]);
      await shows(people, ["4 Di", "5 Ed"]);
      const [person] = await rig.targets["mirror"]!.query("select * from person limit 1");
      expect(Object.keys(person!)).deep.equal(["id", "name", "gone_at"]);
    });

    it("is filled by a full sync in that shape, and loses rows that the source doesn't have, and no others", async () => {
      const mirror = rig.targets["mirror"]!;
      await mirror.query(
        "insert into contact (kind, nr, label) values ('customer', 99, 'extra'), ('customer', 2, 'left the filter'), ('other', 1, 'not ours')",
      );
      await mirror.query("insert into person (id, name) values (98, 'extra')");
      const said = await rig.lockstep("sync", "full", "--target", "mirror", "--json");
      expect(said.code, said.error).equal(0);
      expect(said.json<{ removed: number }>().removed).equal(2);
      const all = [
        "customer 1 Ann",
        "customer 3 Cy",
        "customer 5 Ed",
        "other 1 not ours",
        "supplier 1 Acme",
        "supplier 2 Umbrella",
      ];
      await shows(contacts, all);
      await shows(people, ["1 Ann", "2 Bob", "3 Cy", "4 Di", "5 Ed"]);
    });

    it("keeps the other table's rows when the source empties one", async () => {
      await rig.source.query("truncate supplier");
      await rig.source.query("insert into supplier values (7, 'New')");
      await shows(contacts, [
        "customer 1 Ann",
        "customer 3 Cy",
        "customer 5 Ed",
        "other 1 not ours",
        "supplier 7 New",
      ]);
    });
  });
}
