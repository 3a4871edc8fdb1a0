import { mysqlOutboxWriter } from "@lockstep/outbox";
import { cellOf } from "@lockstep/outbox/mysql";
import { expect } from "chai";
import { begin, type BinlogSource, cellsOf, openBinlogSource, readAll } from "./binlog-source.js";

const doubles = [
  "0",
  "-0e0",
  "1",
  "-1.5",
  "0.1e0+0.2e0",
  "1e14",
  "1e15",
  "123456789012345e0",
  "1234567890123456e0",
  "1e16",
  "1e21",
  "1e300",
  "-1.7976931348623157e308",
  "5e-324",
  "1e-4",
  "1e-5",
  "1.5e-14",
  "1.5e-15",
  "1e-15",
  "1e-16",
  "1.25e-7",
  "9007199254740993e0",
  "1e22",
  "123456.789e3",
];
const floats = ["16777217", "0.1", "3.4028235e38", "1e-45", "-2.5", "1e10"];
const decimals = [
  "0",
  "-0.5",
  "123456789012345678901234567890.5",
  "-99999999999999999999999999999.9",
  "0.000000001",
];

/** Type and what is written: every type, its awkward values. Each gives a column of its own. */
const values: readonly (readonly [type: string, ...written: string[]])[] = [
  ["tinyint", "-128", "127", "null"],
  ["tinyint(1)", "1", "0"],
  ["tinyint unsigned", "255"],
  ["smallint", "-32768"],
  ["smallint unsigned zerofill", "7"],
  ["year", "2026", "0", "1901", "2155"],
  ["mediumint", "-8388608", "8388607"],
  ["mediumint unsigned", "16777215"],
  ["int", "-2147483648"],
  ["int unsigned", "4294967295"],
  ["int(5) zerofill", "42", "123456"],
  ["bigint", "-9223372036854775808", "9223372036854775807"],
  ["bigint unsigned", "18446744073709551615"],
  ["bigint unsigned zerofill", "1"],
  ["decimal(31,1)", ...decimals],
  [
    "decimal(65,30)",
    "-12345678901234567890123456789012345.123456789012345678901234567890",
    "0.000000000000000000000000000001",
  ],
  ["decimal(65,0)", "-99999999999999999999999999999999999999999999999999999999999999999"],
  ["decimal(2,2)", "0.05", "-0.99"],
  ["decimal(9,9)", "0.123456789"],
  ["decimal(10,2) unsigned zerofill", "1.5"],
  ["float", ...floats],
  ["float(7,4)", "123.4567", "0.1"],
  ["float unsigned", "0.3"],
  ["double", ...doubles],
  ["double(20,4)", "12345.67891", "1e15", "0"],
  ["double zerofill", "1.5"],
  ["varchar(40)", "''", "null", "' spaces  '", "'NULL'", "'😀é€'"],
  ["varchar(300)", "repeat('é', 300)"],
  ["char(6)", "'ab'", "'  a '", "''"],
  ["char(100) character set utf8mb4", "'é'", "repeat('😀', 100)"],
  ["char(255) character set latin1", "repeat('é', 255)"],
  ["varchar(10) character set latin1", "'é€'", "X'81'"],
  ["varchar(10) character set cp1250", "'čšž'"],
  ["varchar(10) character set koi8r", "'Привет'"],
  ["varchar(10) character set ucs2", "'é€'"],
  ["varchar(10) character set utf16", "'é😀'"],
  ["varchar(10) character set utf16le", "'é😀'"],
  ["varchar(10) character set utf32", "'é😀'"],
  ["varchar(10) character set utf8mb3", "'é€'"],
  ["varchar(10) character set ascii", "'a'"],
  ["varchar(10) character set gbk", "'中文a'"],
  ["varchar(10) character set big5", "'中文a'"],
  ["varchar(10) character set sjis", "'日本ｱa'"],
  ["varchar(10) character set binary", "X'00FF'"],
  ["varchar(10) collate utf8mb4_uca1400_ai_ci", "'é'"],
  ["tinytext", "'é'"],
  ["text", `_utf8mb4 X'${Buffer.from("tab\tline\nquote\"back\\slash € 😀 \u0001\u0000 '").toString("hex")}'`],
  ["mediumtext", "repeat('x', 70000)"],
  ["longtext", "'long'"],
  ["text character set latin1", "'é'"],
  ["tinyblob", "X'00'"],
  ["blob", "X'DEADBEEF00'", "X''", "repeat(X'00ff', 40000)"],
  ["mediumblob", "X'0102'"],
  ["longblob", "X'0102'"],
  ["binary(4)", "X'61'", "X'00000000'", "X'20202020'"],
  ["varbinary(8)", "X''", "X'2000'"],
  ["varbinary(300)", "repeat(X'ab', 300)"],
  ["bit(1)", "b'1'"],
  ["bit(10)", "b'101'", "0"],
  ["bit(64)", "18446744073709551615", "1"],
  ["json", `'{"b": 9007199254740993,  "a": 1.10, "a": 2}'`, "'null'"],
  ["enum('so so','ok','it''s','é')", "'so so'", "'it''s'", "'é'"],
  ["enum('a','é') character set latin1", "'é'"],
  ["set('a','b','é')", "'b,a'", "''", "'é'"],
  [`set(${Array.from({ length: 64 }, (_, i) => `'m${i}'`).join(",")})`, "'m63,m0'"],
  ["date", "'2026-03-04'", "'0000-00-00'", "'9999-12-31'", "'2026-00-00'", "'0001-01-01'"],
  ["time", "'-838:59:59'", "'00:00:00'", "'-00:00:01'", "'100:00:00'"],
  ["time(1)", "'-00:00:00.5'", "'10:11:12.3'"],
  ["time(2)", "'-10:11:12.13'", "'-00:00:00.01'"],
  ["time(3)", "'-10:11:12.999'"],
  ["time(4)", "'-10:11:12.0001'"],
  ["time(5)", "'-10:11:12.00001'"],
  ["time(6)", "'-838:59:58.5'", "'-00:00:00.000001'", "'838:59:59'"],
  [
    "datetime",
    "'2026-03-04 05:06:07'",
    "'0000-00-00 00:00:00'",
    "'9999-12-31 23:59:59'",
    "'2026-00-00 01:02:03'",
  ],
  ["datetime(1)", "'2026-03-04 05:06:07.8'"],
  ["datetime(3)", "'2026-03-04 05:06:07.008'"],
  ["datetime(5)", "'2026-03-04 05:06:07.00008'"],
  ["datetime(6)", "'2026-03-04 05:06:07.891011'", "'1000-01-01 00:00:00.000001'"],
  [
    "timestamp null",
    "'2026-10-25 00:30:00'",
    "'0000-00-00 00:00:00'",
    "null",
    "'1970-01-01 00:00:01'",
    "'2038-01-19 03:14:07'",
  ],
  ["timestamp(3) null", "'2026-07-04 05:06:07.008'", "'0000-00-00 00:00:00'"],
  ["timestamp(6) null", "'2026-07-04 05:06:07.891011'"],
  [
    "uuid",
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
    "uuid()",
    "'00000000-0000-0000-0000-000000000000'",
    "'017f22e2-79b0-7cc3-98c4-dc0c0c07398f'",
    "'a0eebc99-9c0b-1ef8-bb6d-6bb9bd380a00'",
  ],
  ["inet4", "'10.0.0.1'", "'255.255.255.0'"],
  [
    "inet6",
    "'::1'",
    "'::'",
    "'2001:db8::ff00:42:8329'",
    "'::ffff:10.0.0.1'",
    "'::10.0.0.1'",
    "'2001:db8:0:0:1:0:0:1'",
    "'fe80::'",
    "'1:0:2:0:3:0:4:0'",
  ],
  ["point", "ST_GeomFromText('POINT(1 2)')", "null"],
  ["geometry", "ST_GeomFromText('LINESTRING(1 2, 3 4)')"],
  ["geometrycollection", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')"],
];

const most = Math.max(...values.map(([, ...written]) => written.length));

describe("values from the binlog of MariaDB", () => {
  let source: BinlogSource;
  beforeEach(async () => (source = await openBinlogSource()));
  afterEach(() => source.close());

  it("are the texts that the database prints", async () => {
    const { run } = source;
    await run("set time_zone = '+00:00', sql_mode = ''");
    await run(
      `create table item (id int primary key, ${values.map(([type], i) => `c${i} ${type}`).join(", ")},
       doubled int generated always as (id * 2) virtual, tripled int generated always as (id * 3) stored)`,
    );
    const [schema] = await source.describe("item");
    const log = source.log();
    const start = await begin(log);
    for (let row = 0; row < most; row++) {
      const cells = values.map(([, ...written]) => written[row % written.length]);
      await run(
        `insert into item (id, ${values.map((_, i) => `c${i}`).join(", ")}) values (${row}, ${cells.join(", ")})`,
      );
    }
    await run("update item set id = id + 1000");
    const events = await readAll(log, start);
    const printed = await run(
      `select ${schema!.columns.map((column, i) => `${cellOf(column)} as c${i}`).join(", ")} from item t order by id`,
    );
    expect(events.map(({ op }) => op)).to.deep.equal([
      ...Array.from<string>({ length: most }).fill("insert"),
      ...Array.from<string>({ length: most }).fill("update"),
    ]);
    const wrong = printed.flatMap((row, n) => {
      const cells = cellsOf(events[most + n]);
      return schema!.columns.flatMap(({ type }, i) => {
        const expected = row[`c${i}`] === null ? null : String(row[`c${i}`]);
        return cells[i] === expected ? [] : [{ type, expected, read: cells[i] }];
      });
    });
    expect(wrong).to.deep.equal([]);
    expect(new Set(events.map((event) => event.schema))).to.deep.equal(new Set([schema!.fingerprint]));
    expect(events.slice(most).map(({ key, before }) => [key, before])).to.deep.equal(
      printed.map((_, n) => [`["${n + 1000}"]`, `["${n}"]`]),
    );
  });

  it("of every double are printed as the database does", async () => {
    const { run } = source;
    await run("create table item (id int primary key, d double, f float)");
    await source.describe("item");
    const log = source.log();
    const start = await begin(log);
    await run(
      "insert into item select seq, (rand() - 0.5) * pow(10, floor(rand() * 60) - 30), (rand() - 0.5) * pow(10, floor(rand() * 30) - 15) from seq_1_to_5000",
    );
    const events = await readAll(log, start);
    const printed = await run(
      "select cast(d as char) d, cast(cast(f as double) as char) f from item order by id",
    );
    const wrong = printed.flatMap(({ d, f }, i) => {
      const [, double, float] = cellsOf(events[i]);
      return double === d && float === f ? [] : [{ printed: [d, f], read: [double, float] }];
    });
    expect(wrong).to.deep.equal([]);
    expect(events.length).to.equal(5000);
  });

  it("in keys of any type are the texts that subscriber capture writes", async () => {
    const { run } = source;
    const writer = mysqlOutboxWriter();
    const keys: readonly (readonly [type: string, written: string, text: string])[] = [
      ["decimal(20,2)", "90071992547409.93", "90071992547409.93"],
      ["varchar(40) collate utf8mb4_bin", "'a\"b\\\\c😀'", 'a"b\\c😀'],
      ["binary(4)", "X'00FF0001'", "00FF0001"],
      ["timestamp(3)", "'2026-07-04 05:06:07.008'", "2026-07-04 05:06:07.008"],
      ["uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    ];
    await run("set time_zone = '+00:00'");
    for (const [i, [type]] of keys.entries()) await run(`create table k${i} (id ${type} primary key, v int)`);
    await source.describe(...keys.map((_, i) => `k${i}`));
    const log = source.log();
    const start = await begin(log);
    for (const [i, [, written, text]] of keys.entries()) {
      await run(`insert into k${i} values (${written}, 1)`);
      await writer.append(
        run,
        [{ table: { namespace: source.namespace, name: `k${i}` }, op: "update", key: [text] }],
        {},
      );
      await run(`delete from k${i}`);
    }
    const events = await readAll(log, start);
    expect(events.map(({ op, key }) => [op, key])).to.deep.equal(
      keys.flatMap(([, , text]) => ["insert", "update", "delete"].map((op) => [op, JSON.stringify([text])])),
    );
    for (let i = 0; i < events.length; i += 3) expect(events[i]!.image).to.equal(events[i + 1]!.image);
  });
});
