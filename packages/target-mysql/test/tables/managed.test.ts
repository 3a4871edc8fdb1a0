import { expect } from "chai";
import { isLockstepError, type ColumnSchema } from "@lockstep/core";
import { openMysqlLane, rejection, row, schemaOf, type MysqlLane } from "../mysql-lane.js";

/** Kind, PostgreSQL type, image text, how MariaDB prints what is stored. */
const values: readonly (readonly [ColumnSchema["kind"], string, string, string, Partial<ColumnSchema>?])[] = [
  ["boolean", "boolean", "true", "1"],
  ["integer", "bigint", "-9223372036854775808", "-9223372036854775808"],
  ["numeric", "numeric(20,5)", "123456789012345.10000", "123456789012345.10000", { precision: 20, scale: 5 }],
  ["float", "double precision", "0.1", "0.1"],
  ["float", "real", "3.4e+38", "3.4e38"],
  ["text", "text", "🦆 'quoted' \\back\\ \t\n end ", "🦆 'quoted' \\back\\ \t\n end "],
  ["text", "character varying(5)", "🦆🦆🦆🦆🦆", "🦆🦆🦆🦆🦆", { length: 5 }],
  ["bytes", "bytea", "\\x00ff27", "00FF27"],
  ["bits", "bit(8)", "00000101", "00000101", { length: 8 }],
  ["uuid", "uuid", "6ecd8c99-4036-403d-bf84-cf8400f67836", "6ecd8c99-4036-403d-bf84-cf8400f67836"],
  [
    "json",
    "jsonb",
    `${'{"a": '.repeat(60)}1.10${"}".repeat(60)}`,
    `${'{"a": '.repeat(60)}1.10${"}".repeat(60)}`,
  ],
  ["enum", "mood", "happy", "happy"],
  ["date", "date", "0099-12-31", "0099-12-31"],
  ["time", "time without time zone", "24:00:00", "24:00:00.000000"],
  ["timestamp", "timestamp without time zone", "2026-01-02 03:04:05.000001", "2026-01-02 03:04:05.000001"],
  ["timestamptz", "timestamp with time zone", "2026-03-29 02:30:00.5+00", "2026-03-29 02:30:00.500000"],
  ["other", "text[]", '{"a b",NULL,c}', '{"a b",NULL,c}'],
  ["other", "interval", "1 mon 2 days 03:04:05", "1 mon 2 days 03:04:05"],
];

describe("managed tables", () => {
  let lane: MysqlLane;

  before(async () => (lane = await openMysqlLane({ schema: "managed" })));
  after(() => lane.close());

  it("holds every kind of PostgreSQL value as it was written, in a row and in a key", async () => {
    const columns = Object.fromEntries(
      values.map(([kind, type, , , more], n) => [`c${n}`, [kind, type, more ?? {}] as const]),
    );
    const schema = schemaOf("postgres", "every_kind", { id: ["integer", "integer"], ...columns });
    const [table] = await lane.tables(schema);
    const images = [row("1", ...values.map(([, , text]) => text)), row("2", ...values.map(() => null))];
    await lane.step((transaction) => transaction.upsert(table!, images));
    const list = values.map(([kind], n) =>
      kind === "bytes" ? `hex(c${n})` : kind === "bits" ? `lpad(bin(c${n}), 8, '0')` : `c${n}`,
    );
    expect(await lane.fixture.read(`select ${list.join(", ")} from every_kind order by id`)).deep.equal([
      values.map(([, , , stored]) => stored),
      values.map(() => null),
    ]);
  });

  for (const [n, [kind, type, text, , more]] of values.entries()) {
    if (kind === "json") continue;
    it(`updates and removes by a key of ${type}`, async () => {
      const schema = schemaOf("postgres", `key_${n}`, {
        k: [kind, type, more ?? {}],
        v: ["text", "text"],
      });
      const [table] = await lane.tables(schema);
      await lane.step((transaction) => transaction.upsert(table!, [row(text, "a")]));
      await lane.step((transaction) => transaction.upsert(table!, [row(text, "b")]));
      await lane.step((transaction) => transaction.upsert(table!, [row(text, 0)]));
      expect(await lane.fixture.read(`select v from key_${n}`)).deep.equal([["b"]]);
      await lane.step((transaction) => transaction.remove(table!, [row(text).key]));
      expect(await lane.fixture.read(`select v from key_${n}`)).deep.equal([]);
    });
  }

  for (const [kind, type, held, other] of [
    ["numeric", "numeric", "0", `0.${"0".repeat(30)}1`],
    ["float", "double precision", "0", "NaN"],
    ["date", "date", "0001-01-01", "-infinity"],
    ["timestamp", "timestamp without time zone", "0001-01-01 00:00:00", "0001-01-01 00:00:00 BC"],
  ] as const) {
    it(`removes no other row by a key of ${type} that it can't hold`, async () => {
      const name = `unheld_${kind}`;
      const [table] = await lane.tables(schemaOf("postgres", name, { k: [kind, type], v: ["text", "text"] }));
      await lane.step((transaction) => transaction.upsert(table!, [row(held, "a")]));
      await lane.step((transaction) => transaction.remove(table!, [row(other).key]));
      expect(await lane.fixture.read(`select v from ${name}`)).deep.equal([["a"]]);
    });
  }

  it("keeps keys apart that differ only in case, accents or trailing spaces", async () => {
    const schema = schemaOf("postgres", "cases", { k: ["text", "text"], v: ["text", "text"] });
    const [table] = await lane.tables(schema);
    const keys = ["a", "A", "a ", "á", "a\t"];
    await lane.step((transaction) =>
      transaction.upsert(
        table!,
        keys.map((k) => row(k, k)),
      ),
    );
    expect(await lane.fixture.read("select count(*) from cases")).deep.equal([["5"]]);
    await lane.step((transaction) => transaction.remove(table!, [row("a ").key]));
    expect(await lane.fixture.read("select count(*) from cases where k = 'a' or k = 'A'")).deep.equal([
      ["2"],
    ]);
  });

  it("adds the columns of a newer schema, and takes rows of the older one", async () => {
    const old = schemaOf("postgres", "grows", { id: ["integer", "bigint"], a: ["text", "text"] });
    const [before] = await lane.tables(old);
    const newer = schemaOf("postgres", "grows", {
      id: ["integer", "bigint"],
      b: ["timestamptz", "timestamp with time zone"],
      a: ["text", "text"],
      c: ["numeric", "numeric(5,1)", { precision: 5, scale: 1 }],
    });
    const [after] = await lane.tables(newer);
    await lane.step(async (transaction) => {
      await transaction.upsert(before!, [row("1", "old")]);
      await transaction.upsert(after!, [row("2", "2026-01-01 00:00:00+00", "new", "1.5")]);
    });
    expect(await lane.fixture.read("select id, a, b, c from grows order by id")).deep.equal([
      ["1", "old", null, null],
      ["2", "new", "2026-01-01 00:00:00.000000", "1.5"],
    ]);
  });

  it("widens columns that grew at the source, key columns too, and never narrows them", async () => {
    const version = (name: string, length: number, precision: number) =>
      schemaOf("postgres", name, {
        k: ["text", `character varying(${length})`, { length }],
        v: ["numeric", `numeric(${precision},2)`, { precision, scale: 2 }],
      });
    const [narrow] = await lane.tables(version("widens", 3, 5));
    await lane.step((transaction) => transaction.upsert(narrow!, [row("abc", "123.45")]));
    const [wide] = await lane.tables(version("widens", 30, 12), version("widens", 10, 7));
    await lane.step((transaction) => transaction.upsert(wide!, [row("abcdefghijklmnop", "1234567890.12")]));
    await lane.tables(version("widens", 3, 5));
    expect(await lane.fixture.read("select k, v from widens order by k")).deep.equal([
      ["abc", "123.45"],
      ["abcdefghijklmnop", "1234567890.12"],
    ]);
  });

  it("makes tables once when several lanes ask at once", async () => {
    const schema = schemaOf("postgres", "at_once", { id: ["integer", "bigint"], a: ["text", "text"] });
    const sessions = await Promise.all(
      [1, 2, 3].map(async (partition) => (await lane.target.lane({ source: "at-once", partition }))!),
    );
    const tables = await Promise.all(sessions.map((session) => session.tables([schema])));
    expect(tables.map(([table]) => table?.name)).deep.equal(tables.map(() => tables[0]![0]!.name));
    for (const session of sessions) await session[Symbol.asyncDispose]();
  });

  it("never rounds a numeric without bound", async () => {
    const schema = schemaOf("postgres", "unbounded", {
      id: ["integer", "bigint"],
      v: ["numeric", "numeric"],
    });
    const [table] = await lane.tables(schema);
    await lane.step((transaction) => transaction.upsert(table!, [row("1", "1.50")]));
    for (const text of [`0.${"0".repeat(30)}1`, "9".repeat(36), "NaN"]) {
      const error = await rejection(lane.step((transaction) => transaction.upsert(table!, [row("1", text)])));
      expect(lane.target.classify(error).code).equal("TARGET_VALUE");
    }
    expect(await lane.fixture.read("select v from unbounded")).deep.equal([[`1.5${"0".repeat(29)}`]]);
  });

  it("refuses two tables of one name", async () => {
    const other = schemaOf("mysql", "cases", { k: ["text", "text"] });
    const clash = await rejection(lane.tables(other));
    expect(isLockstepError(clash, "CONFIG_INVALID"), String(clash)).equal(true);
  });
});
