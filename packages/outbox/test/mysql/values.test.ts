import type { ChangeLog, RowNote, TableSchema } from "@lockstep/core";
import { expect } from "chai";
import mysql from "mysql2/promise";
import { cellsOf, cutAll, readAll, type Session, type SourceDatabase } from "../fixture/database.js";
import { mariaDb } from "../fixture/mysql.js";

// Column type, what is written (an SQL expression, in a session in UTC), the text that must arrive, its kind.
const values: readonly (readonly [type: string, written: string, text: string | null, kind?: string])[] = [
  ["bigint", "-9223372036854775808", "-9223372036854775808", "integer"],
  ["bigint unsigned", "18446744073709551615", "18446744073709551615", "integer"],
  ["int(5) zerofill", "42", "00042", "integer"],
  ["tinyint(1)", "1", "1", "boolean"],
  ["decimal(30,10)", "12345678901234567890.5", "12345678901234567890.5000000000", "numeric"],
  ["float", "16777217", "16777216", "float"],
  ["float", "0.1", "0.10000000149011612", "float"],
  ["double", "0.1e0 + 0.2e0", "0.30000000000000004", "float"],
  ["double", "1e300", "1e300", "float"],
  ["varchar(40)", "''", "", "text"],
  ["varchar(40)", "null", null],
  ["varchar(40)", "' spaces  '", " spaces  "],
  ["char(6)", "'ab'", "ab", "text"],
  ["varchar(10) character set latin1", "'é'", "é", "text"],
  [
    "text",
    `_utf8mb4 X'${Buffer.from("tab\tline\nquote\"back\\slash € 😀 \u0001 '").toString("hex")}'`,
    "tab\tline\nquote\"back\\slash € 😀 \u0001 '",
  ],
  ["blob", "X'DEADBEEF00'", "DEADBEEF00", "bytes"],
  ["varbinary(8)", "X''", ""],
  ["binary(4)", "X'61'", "61000000", "bytes"],
  ["bit(10)", "b'101'", "0000000101", "bits"],
  ["bit(64)", "18446744073709551615", "1".repeat(64)],
  ["json", `'{"b": 9007199254740993,  "a": 1.10}'`, '{"b": 9007199254740993,  "a": 1.10}', "json"],
  ["enum('so so','ok')", "'so so'", "so so", "enum"],
  ["set('a','b')", "'b,a'", "a,b", "text"],
  ["date", "'2026-03-04'", "2026-03-04", "date"],
  ["date", "'0000-00-00'", "0000-00-00"],
  ["time(6)", "'-838:59:58.5'", "-838:59:58.500000", "time"],
  ["year", "2026", "2026", "integer"],
  ["datetime(6)", "'2026-03-04 05:06:07.891011'", "2026-03-04 05:06:07.891011", "timestamp"],
  ["datetime", "'2026-03-04 05:06:07'", "2026-03-04 05:06:07", "timestamp"],
  ["timestamp(6) null", "'2026-07-04 05:06:07.891011'", "2026-07-04 05:06:07.891011", "timestamptz"],
  // Both print 02:30 in a session in Berlin: the night the clocks go back.
  ["timestamp null", "'2026-10-25 00:30:00'", "2026-10-25 00:30:00"],
  ["timestamp null", "'2026-10-25 01:30:00'", "2026-10-25 01:30:00"],
  ["timestamp(3) null", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00.000"],
  ["timestamp null", "null", null],
  ["point", "ST_GeomFromText('POINT(1 2)')", "000000000101000000000000000000F03F0000000000000040", "bytes"],
];

const oddSettings = [
  "set time_zone = '+05:45'",
  "set sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH,PIPES_AS_CONCAT'",
  "set names latin1",
  "set lc_time_names = 'de_DE'",
  "set div_precision_increment = 0",
  "set group_concat_max_len = 4",
  "set session transaction isolation level serializable",
  "set sql_quote_show_create = 0",
];

describe("values from MariaDB", () => {
  let db: SourceDatabase;
  let app: Session;
  let log: ChangeLog;
  let item: RowNote["table"];
  let schema: TableSchema;

  beforeEach(async () => {
    db = await mariaDb.open();
    app = await db.session();
    log = db.log();
    item = { namespace: db.namespace, name: "item" };
    await app.run(
      `create table item (id int primary key, ${values.map(([type], i) => `c${i} ${type}`).join(", ")})`,
    );
    schema = (await db.writer.describe(app.run, [item]))[0]!;
  });
  afterEach(() => db.drop());

  const insert = async (): Promise<void> => {
    await app.run("set time_zone = '+00:00', sql_mode = 'NO_ENGINE_SUBSTITUTION'");
    await app.run(`insert into item values (1, ${values.map(([, written]) => written).join(", ")})`);
  };
  const expected = ["1", ...values.map(([, , text]) => text)];

  it("arrive as the database prints them", async () => {
    await app.transaction([{ table: item, op: "insert", key: ["1"] }], insert);
    await cutAll(log);
    expect(cellsOf((await readAll(log))[0])).to.deep.equal(expected);
  });

  it("arrive the same whatever the writer's session settings are", async () => {
    await insert();
    for (const setting of oddSettings) await app.run(setting);
    await app.transaction([{ table: item, op: "update", key: ["1"] }], undefined, { origin: "it's \\ é" });
    await cutAll(log);
    const [event] = await readAll(log);
    expect(cellsOf(event)).to.deep.equal(expected);
    expect(event!.schema).to.equal(schema.fingerprint);
    expect(event!.transaction.origin).to.equal("it's \\ é");
  });

  it("arrive the same over a connection whose charset has neither emoji nor accents", async () => {
    await insert();
    const connection = await mysql.createConnection({ uri: db.url, charset: "ascii" });
    try {
      const run: Session["run"] = async (sql, parameters) =>
        (await connection.query<mysql.RowDataPacket[]>(sql, parameters as unknown[]))[0];
      await db.writer.append(run, [{ table: item, op: "update", key: ["1"] }], {});
    } finally {
      await connection.end();
    }
    await cutAll(log);
    expect(cellsOf((await readAll(log))[0])).to.deep.equal(expected);
  });

  it("have the kinds that conversions go by", () => {
    const wanted = values.flatMap(([, , , kind], i) => (kind === undefined ? [] : [[`c${i}`, kind]]));
    const kinds = new Map(schema.columns.map((column) => [column.name, column.kind]));
    expect(wanted.map(([name]) => [name, kinds.get(name!)])).to.deep.equal(wanted);
  });

  it("find their rows by keys of any type, and read no others", async () => {
    const keys: readonly (readonly [type: string, written: string, text: string])[] = [
      ["bigint", "9007199254740993", "9007199254740993"],
      ["bigint unsigned", "18446744073709551615", "18446744073709551615"],
      ["decimal(20,2)", "90071992547409.93", "90071992547409.93"],
      ["char(36)", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
      [
        "varchar(40) collate utf8mb4_bin",
        `_utf8mb4 X'${Buffer.from(`a"b\\c\n'😀`).toString("hex")}'`,
        `a"b\\c\n'😀`,
      ],
      ["varchar(40) character set latin1", "'é'", "é"],
      ["binary(4)", "X'00FF0001'", "00FF0001"],
      ["date", "'2026-03-04'", "2026-03-04"],
      ["datetime(6)", "'2026-03-04 05:06:07.000001'", "2026-03-04 05:06:07.000001"],
      ["timestamp(3)", "'2026-07-04 05:06:07.008'", "2026-07-04 05:06:07.008"],
      ["time(2)", "'-10:11:12.13'", "-10:11:12.13"],
      ["enum('so so','ok')", "'so so'", "so so"],
      ["bit(10)", "b'101'", "0000000101"],
    ];
    await app.run("set time_zone = '+00:00'");
    for (const [i, [type, written, text]] of keys.entries()) {
      const table = { namespace: db.namespace, name: `keyed ${i}` };
      await app.run(`create table \`keyed ${i}\` (id ${type} primary key, v int)`);
      await app.transaction([{ table, op: "insert", key: [text] }], () =>
        app.run(`insert into \`keyed ${i}\` values (${written}, 1)`),
      );
      await app.run("set time_zone = '+05:45'");
      await app.transaction([{ table, op: "update", key: [text] }]);
      await app.run("set time_zone = '+00:00'");
      await app.transaction([{ table, op: "delete", key: [text] }], () =>
        app.run(`delete from \`keyed ${i}\``),
      );
    }
    await cutAll(log);
    const events = await readAll(log);
    expect(events.map((event) => [event.op, event.key])).to.deep.equal(
      keys.flatMap(([, , text]) => ["insert", "update", "delete"].map((op) => [op, JSON.stringify([text])])),
    );
  });

  it("come by the row's own key when the note wrote it in another way", async () => {
    const people = { namespace: db.namespace, name: "person" };
    await app.run("create table person (id varchar(20) collate utf8mb4_general_ci primary key, v int)");
    await app.run("insert into person values ('Ann', 1), ('bob', 2)");
    await app.transaction([
      { table: people, op: "update", key: ["ANN"] },
      { table: people, op: "update", key: ["bob"] },
      { table: people, op: "delete", key: ["Carl"] },
    ]);
    await cutAll(log);
    expect((await readAll(log)).map((event) => [event.op, event.key])).to.deep.equal([
      ["update", '["Ann"]'],
      ["update", '["bob"]'],
      ["delete", '["Carl"]'],
    ]);
  });

  it("are read by the key: no other row is locked", async () => {
    const pairs = { namespace: db.namespace, name: "pair" };
    await app.run("create table pair (a int, b varchar(10), v int, primary key (a, b))");
    await app.run("insert into pair select seq, 'x', 0 from seq_1_to_500");
    await app.run("create table solo (a bigint primary key, v int)");
    await app.run("insert into solo select seq, 0 from seq_1_to_500");
    const other = await db.session();
    await other.run("set innodb_lock_wait_timeout = 1");
    await app.run("begin");
    await db.writer.append(
      app.run,
      [7, 8, 300].flatMap((id) => [
        { table: pairs, op: "update" as const, key: [String(id), "x"] },
        { table: { ...pairs, name: "solo" }, op: "update" as const, key: [String(id)] },
      ]),
      {},
    );
    const free = "not in (7, 8, 300)";
    await other.run(`update pair set v = 1 where a = 9 and b = 'x'`);
    for (const id of [1, 6, 9, 299, 301, 500]) {
      await other.run(`update pair set v = 1 where a = ${id} and b = 'x' and a ${free}`);
      await other.run(`update solo set v = 1 where a = ${id} and a ${free}`);
    }
    await app.run("commit");
  });
});
