import type { ColumnKind } from "@lockstep/core";
import { expect } from "chai";
import { openMysqlLane, rejection, row, schemaOf, type MysqlLane } from "../mysql-lane.js";

/** Target type, kind and type at a PostgreSQL source, a value that fits (and how it is stored), one that the server would change. */
const cases: readonly (readonly [
  target: string,
  kind: ColumnKind,
  source: string,
  fits: string,
  stored: string,
  refused: string,
])[] = [
  ["decimal(6,2)", "numeric", "numeric", "12.340", "12.34", "12.345"],
  ["decimal(6,2)", "numeric", "numeric", "-0.1", "-0.10", "NaN"],
  ["int", "numeric", "numeric(10,2)", "12.00", "12", "12.50"],
  ["int", "integer", "bigint", "-5", "-5", "2147483648"],
  ["int", "text", "text", "70", "70", "007"],
  ["int", "bits", "bit(4)", "0", "0", "0101"],
  ["year", "integer", "integer", "2026", "2026", "26"],
  [
    "decimal(65,30)",
    "numeric",
    "numeric(65,30)",
    `${"9".repeat(35)}.${"9".repeat(30)}`,
    `${"9".repeat(35)}.${"9".repeat(30)}`,
    "9".repeat(36),
  ],
  ["int", "float", "double precision", "7", "7", "1e3"],
  ["tinyint(1)", "boolean", "boolean", "true", "1", "maybe"],
  [
    "datetime",
    "timestamp",
    "timestamp",
    "2026-01-02 03:04:05",
    "2026-01-02 03:04:05",
    "2026-01-02 03:04:05.6",
  ],
  [
    "datetime(3)",
    "timestamptz",
    "timestamptz",
    "2026-01-02 03:04:05.12+00",
    "2026-01-02 03:04:05.120",
    "2026-01-02 03:04:05.1234+00",
  ],
  [
    "datetime(6)",
    "timestamptz",
    "timestamptz",
    "2026-01-02 03:04:05.123456+00",
    "2026-01-02 03:04:05.123456",
    "infinity",
  ],
  [
    "datetime(6)",
    "timestamp",
    "timestamp",
    "9999-12-31 00:00:00",
    "9999-12-31 00:00:00.000000",
    "10000-01-01 00:00:00",
  ],
  [
    "datetime(6)",
    "timestamp",
    "timestamp",
    "0044-03-15 00:00:00",
    "0044-03-15 00:00:00.000000",
    "0044-03-15 00:00:00 BC",
  ],
  ["time", "time", "time", "12:00:00", "12:00:00", "12:00:00.5"],
  ["time(6)", "other", "time with time zone", "12:00:00", "12:00:00.000000", "12:00:00+02"],
  ["date", "timestamp", "timestamp", "2026-01-02 00:00:00", "2026-01-02", "2026-01-02 03:00:00"],
  [
    "timestamp(6)",
    "timestamptz",
    "timestamptz",
    "2026-03-29 02:30:00+00",
    "2026-03-29 02:30:00.000000",
    "1960-01-01 00:00:00+00",
  ],
  ["varchar(3)", "text", "text", "a  ", "a  ", "abc "],
  ["char(5)", "text", "character varying(9)", "a b", "a b", "a "],
  ["enum('x','y','1a')", "enum", "mood", "y", "y", "1"],
  ["set('x','y')", "text", "text", "x,y", "x,y", "3"],
  ["binary(2)", "bytes", "bytea", "\\x0001", "0001", "\\x01"],
  ["varbinary(2)", "bytes", "bytea", "\\x", "", "\\x010203"],
  ["float", "float", "double precision", "0.5", "0.5", "16777217"],
  ["double", "numeric", "numeric", "1234567890.12345", "1234567890.12345", "0.1234567890123456789"],
  ["double", "float", "double precision", "1e+300", "1e300", "Infinity"],
  ["bit(4)", "bits", "bit(4)", "0101", "0101", "10101"],
  ["varchar(20) character set latin1", "text", "text", "é", "é", "☃"],
];

describe("rows: values that the server would change", () => {
  let lane: MysqlLane;

  before(async () => (lane = await openMysqlLane()));
  after(() => lane.close());

  for (const [place, [type, kind, source, fits, stored, refused]] of cases.entries()) {
    it(`${type} takes ${JSON.stringify(fits)} (${source}) and refuses ${JSON.stringify(refused)}`, async () => {
      const name = `value_${place}`;
      await lane.fixture.run(`create table ${name} (id bigint primary key, v ${type} null)`);
      const schema = schemaOf("postgres", name, { id: ["integer", "bigint"], v: [kind, source] });
      const [table] = await lane.tables(schema);
      await lane.step((transaction) => transaction.upsert(table!, [row("1", fits)]));
      const printed = kind === "bytes" ? "hex(v)" : type.startsWith("bit") ? "lpad(bin(v), 4, '0')" : "v";
      expect(await lane.fixture.read(`select ${printed} from ${name}`)).deep.equal([[stored]]);
      for (const rows of [[row("2", refused)], [row("2", fits), row("3", refused)]]) {
        const error = await rejection(lane.step((transaction) => transaction.upsert(table!, rows)));
        const fault = lane.target.classify(error);
        expect(fault).deep.equal({ kind: "row", code: "TARGET_VALUE", about: "v" });
      }
      const partial = { key: JSON.stringify(["1"]), image: ["1", refused] } as const;
      const error = await rejection(
        lane.step((transaction) => transaction.upsert(table!, [partial, { ...row("9", 0) }])),
      );
      expect(lane.target.classify(error).code).equal("TARGET_VALUE");
      expect(await lane.fixture.read(`select id, ${printed} from ${name}`)).deep.equal([["1", stored]]);
    });
  }

  it("finds a warning of any statement among several in one packet", async () => {
    await lane.fixture.run(
      "create table partial (id bigint primary key, v decimal(6,2), w int); insert into partial values (1,1,1),(2,2,2),(3,3,3)",
    );
    const schema = schemaOf("postgres", "partial", {
      id: ["integer", "bigint"],
      v: ["numeric", "numeric"],
      w: ["integer", "integer"],
    });
    const [table] = await lane.tables(schema);
    const error = await rejection(
      lane.step((transaction) =>
        transaction.upsert(table!, [row("1", "1.5", 0), row("2", "2.555", 0), row("3", "3.5", 0)]),
      ),
    );
    expect(lane.target.classify(error)).deep.equal({ kind: "row", code: "TARGET_VALUE", about: "v" });
    expect(await lane.fixture.read("select v from partial order by id")).deep.equal([
      ["1.00"],
      ["2.00"],
      ["3.00"],
    ]);
  });

  it("brings the zero and invalid dates and the zero key of a MySQL source as they are", async () => {
    await lane.fixture.run("create table zeros (id bigint auto_increment primary key, d date, t datetime)");
    const schema = schemaOf("mysql", "zeros", {
      id: ["integer", "bigint(20)"],
      d: ["date", "date"],
      t: ["timestamp", "datetime"],
    });
    const [table] = await lane.tables(schema);
    const rows = [
      row("0", "0000-00-00", "0000-00-00 00:00:00"),
      row("1", "2026-02-31", "2026-00-00 00:00:00"),
    ];
    await lane.step((transaction) => transaction.upsert(table!, rows));
    expect(await lane.fixture.read("select * from zeros order by id")).deep.equal(
      rows.map(({ image }) => [...image]),
    );
  });

  it("tells keys apart that are the same number as a double", async () => {
    await lane.fixture.run("create table large (id bigint primary key, v int)");
    const schema = schemaOf("mysql", "large", { id: ["integer", "bigint(20)"], v: ["integer", "int(11)"] });
    const [table] = await lane.tables(schema);
    const ids = ["9007199254740992", "9007199254740993", "9223372036854775806", "9223372036854775807"];
    await lane.step((transaction) =>
      transaction.upsert(
        table!,
        ids.map((id) => row(id, "1")),
      ),
    );
    await lane.step((transaction) =>
      transaction.remove(table!, [JSON.stringify([ids[0]]), JSON.stringify([ids[3]])]),
    );
    expect(await lane.fixture.read("select id from large order by id")).deep.equal([[ids[1]], [ids[2]]]);
  });
});
