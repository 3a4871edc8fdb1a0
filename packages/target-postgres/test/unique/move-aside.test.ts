import { contractContext, openLane, rejection } from "@lockstep/testing/target-contract";
import { expect } from "chai";
import { openFixture } from "../fixture.js";
import { row, sourceTable } from "../source-table.js";

describe("unique values that are moved aside", () => {
  const context = contractContext(openFixture);
  const columns = { id: ["integer", "integer"], value: ["text", "text"], note: ["text", "text"] } as const;

  // Two rows swap their values; whatever the constraint, the final state is valid.
  for (const [what, ddl, values] of [
    ["of an expression", "value text not null); create unique index on %t (lower(value)", ["A@x", "b@X"]],
    [
      "of an expression that makes something of NULL",
      "value text); create unique index on %t (coalesce(value, '-')",
      ["a", "b"],
    ],
    [
      "of a partial index",
      "value text not null, live boolean default true); create unique index on %t (value) where (live",
      ["a", "b"],
    ],
    ["of NULLs that are equal", "value text, unique nulls not distinct (value)", ["a", null]],
    ["of a short text", "value varchar(2) not null unique", ["a", "b"]],
    ["of smallint", "value smallint not null unique", ["1", "2"]],
    ["of an enum", "value mood not null unique", ["happy", "sad"]],
    ["of bigint", "value bigint not null unique", ["1", "2"]],
    ["of numeric", "value numeric(12,2) not null unique", ["1.00", "2.00"]],
    [
      "of uuid",
      "value uuid not null unique",
      ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"],
    ],
    ["of date", "value date not null unique", ["2026-01-01", "2026-01-02"]],
    [
      "of timestamptz",
      "value timestamptz not null unique",
      ["2026-01-01 00:00:00+00", "2026-01-02 00:00:00+00"],
    ],
    ["that a CHECK guards", "value text not null unique check (value in ('a', 'b'))", ["a", "b"]],
    [
      "of ranges that must not overlap",
      "value int4range not null, exclude using gist (value with &&)",
      ["[1,5)", "[5,9)"],
    ],
    ["that are deferrable", "value text not null unique deferrable", ["a", "b"]],
    ["beside an INCLUDE", "value text not null, unique (value) include (note)", ["a", "b"]],
    ["that a foreign key guards", "value text not null unique references guard", ["a", "b"]],
  ] as const) {
    it(what, async () => {
      const name = `aside_${what.replaceAll(/\W/g, "_").toLowerCase()}`;
      await context.fixture.run(
        "create table if not exists guard (id text primary key); insert into guard values ('a'), ('b') on conflict do nothing",
      );
      await context.fixture.run(
        "do $$ begin create type mood as enum ('happy', 'sad'); exception when duplicate_object then null; end $$",
      );
      await context.fixture.run(
        `create table ${name} (id integer primary key, note text, ${ddl.replaceAll("%t", name)})`,
      );
      const lane = await openLane(await context.target(), name);
      const [table] = await lane.session.tables([sourceTable(name, columns)]);
      expect(table!.hasSecondaryUnique).equal(true);
      const rows = (order: readonly (string | null)[]) =>
        order.map((value, n) => row([String(n + 1), value, `n${n}`]));
      await lane.step((transaction) => transaction.upsert(table!, rows(values)));
      const swapped = rows(values.toReversed());
      await lane.step(async (transaction) => {
        await transaction.moveUniqueAside(
          table!,
          swapped.map(({ key }) => key),
        );
        await transaction.upsert(table!, swapped);
      });
      expect(await context.fixture.read(`select id, value::text, note from ${name} order by id`)).deep.equal(
        swapped.map(({ image }) => image),
      );
      await lane.close();
    });
  }

  it("are refused as a row's fault where nothing can be changed and rows reference the row", async () => {
    await context.fixture.run(`
      create table stuck (id integer primary key, value boolean not null unique, note text);
      create table stuck_child (id integer primary key, stuck_id integer references stuck);
      insert into stuck values (1, true, 'a'), (2, false, 'b');
      insert into stuck_child values (1, 1)`);
    const target = await context.target();
    const lane = await openLane(target, "stuck");
    const [table] = await lane.session.tables([sourceTable("stuck", columns)]);
    const error = await rejection(
      lane.step((transaction) => transaction.moveUniqueAside(table!, ['["1"]', '["2"]'])),
    );
    expect(target.classify(error)).deep.equal({
      kind: "row",
      code: "TARGET_UNIQUE",
      about: "stuck_value_key",
    });
    await lane.close();
  });

  it("are nobody's business where the unique key contains the primary key", async () => {
    await context.fixture.run(
      "create table contained (id integer primary key, value text, note text, unique (value, id))",
    );
    const lane = await openLane(await context.target(), "contained");
    const [table] = await lane.session.tables([sourceTable("contained", columns)]);
    expect(table!.hasSecondaryUnique).equal(false);
    await lane.close();
  });
});
