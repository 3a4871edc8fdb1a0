import { contractContext, openLane } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { openFixture } from "../fixture.js";
import { row, sourceTable } from "../source-table.js";

describe("external tables with peculiarities", () => {
  const context = contractContext(openFixture);
  const columns = {
    id: ["integer", "integer"],
    note: ["text", "text"],
    total: ["integer", "integer"],
  } as const;

  for (const [what, ddl] of [
    [
      "an identity key that is always generated",
      "(id integer generated always as identity primary key, note text, total integer)",
    ],
    [
      "a column that is generated always",
      "(id integer primary key, note text, total integer generated always as (id * 2) stored)",
    ],
    ["a deferrable key", "(id integer primary key deferrable initially deferred, note text, total integer)"],
    ["partitions", "(id integer primary key, note text, total integer) partition by hash (id)"],
    ["row-level security", "(id integer primary key, note text, total integer)"],
    ["a rule", "(id integer primary key, note text, total integer)"],
    ["triggers that count", "(id integer primary key, note text, total integer)"],
  ] as const) {
    it(`take new and known rows, few and many: ${what}`, async () => {
      const name = what.replaceAll(/\W/g, "_");
      await context.fixture.run(`create table ${name} ${ddl}`);
      for (const extra of extras(what, name)) await context.fixture.run(extra);
      const lane = await openLane(await context.target(), what);
      const [table] = await lane.session.tables([sourceTable(name, columns)]);
      for (const count of [2, 10, 200]) {
        for (const note of ["new", "known"]) {
          const rows = Array.from({ length: count }, (_, n) =>
            row([String(n + 1), note, String((n + 1) * 2)]),
          );
          await lane.step((transaction) => transaction.upsert(table!, rows));
          expect(
            await context.fixture.read(
              `select note, count(*) from ${name} where total = id * 2 group by note`,
            ),
          ).deep.equal([[note, String(count)]]);
        }
        const keys = Array.from({ length: count }, (_, n) => `["${n + 1}"]`);
        await lane.step((transaction) => transaction.remove(table!, keys));
      }
      await lane.close();
    });
  }

  function extras(what: string, name: string): readonly string[] {
    if (what === "partitions") {
      return [0, 1].map(
        (n) => `create table ${name}_${n} partition of ${name} for values with (modulus 2, remainder ${n})`,
      );
    }
    if (what === "row-level security") return [`alter table ${name} enable row level security`];
    if (what === "a rule")
      return [`create rule no_truth as on update to ${name} where false do instead nothing`];
    if (what !== "triggers that count") return [];
    return [
      "create table counted (n bigint)",
      "create function count_row() returns trigger language plpgsql as $$ begin insert into counted values (1); return null; end $$",
      `create trigger count_row after insert or update on ${name} for each row execute function count_row()`,
    ];
  }
});
