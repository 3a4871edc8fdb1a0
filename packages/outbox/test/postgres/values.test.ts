import type { ChangeLog, RowNote, TableSchema } from "@lockstep/core";
import { expect } from "chai";
import { postgresTriggers } from "../../src/index.js";
import { cellsOf, cutAll, readAll, type Session, type SourceDatabase } from "../fixture/database.js";
import { postgres } from "../fixture/postgres.js";

// Column type, what is written (an SQL expression), the text that must arrive: what psql prints in a session with the pinned settings.
const values: readonly (readonly [type: string, written: string, text: string | null, kind?: string])[] = [
  ["bigint", "9223372036854775807", "9223372036854775807", "integer"],
  ["smallint", "-32768", "-32768", "integer"],
  [
    "numeric",
    "12345678901234567890.123456789012345678901234567890",
    "12345678901234567890.123456789012345678901234567890",
    "numeric",
  ],
  ["numeric(12,2)", "1.5", "1.50", "numeric"],
  ["numeric", "'NaN'", "NaN"],
  ["real", "0.1", "0.1", "float"],
  ["real", "16777217", "1.6777216e+07"],
  ["double precision", "0.1::float8 + 0.2", "0.30000000000000004", "float"],
  ["double precision", "'-Infinity'", "-Infinity"],
  ["boolean", "true", "true", "boolean"],
  ["boolean", "false", "false"],
  ["text", "''", "", "text"],
  ["text", "null", null],
  ["text", "'NULL'", "NULL"],
  [
    "text",
    `E'tab\\tline\\nquote"back\\\\slash \\u20ac \\U0001F600 \\x01'`,
    'tab\tline\nquote"back\\slash € 😀 \u0001',
  ],
  ["varchar(40)", "' spaces  '", " spaces  ", "text"],
  ["char(6)", "'ab'", "ab    ", "text"],
  ["bytea", "'\\xDEADbeef00'", "\\xdeadbeef00", "bytes"],
  ["bytea", "''", "\\x"],
  ["bit(5)", "B'01010'", "01010", "bits"],
  ["uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "uuid"],
  [
    "jsonb",
    `'{"b": 9007199254740993, "a": [1.10, null]}'`,
    '{"a": [1.10, null], "b": 9007199254740993}',
    "json",
  ],
  ["json", `'{"b":1,  "b":2}'`, '{"b":1,  "b":2}', "json"],
  ["mood", "'so so'", "so so", "enum"],
  ["date", "'2026-03-04'", "2026-03-04", "date"],
  ["date", "'infinity'", "infinity"],
  ["time(3)", "'01:02:03.4'", "01:02:03.4", "time"],
  ["timestamp", "'2026-03-04 05:06:07.891011'", "2026-03-04 05:06:07.891011", "timestamp"],
  ["timestamptz", "'2026-07-04 05:06:07.891011+02'", "2026-07-04 03:06:07.891011+00", "timestamptz"],
  ["timestamptz", "'0044-03-15 12:00:00+00 BC'", "0044-03-15 12:00:00+00 BC"],
  ["timestamptz", "'-infinity'", "-infinity"],
  ["interval", "'1 year 2 days 03:04:05.6'", "1 year 2 days 03:04:05.6", "other"],
  ["money", "'1234.5'::numeric::money", "$1,234.50", "other"],
  ["inet", "'192.168.1.1'", "192.168.1.1", "other"],
  ["xml", `'<?xml version="1.0"?><a> </a>'`, "<a> </a>", "other"],
  ["text[]", `array['a,b', null, 'c"d', '']`, '{"a,b",NULL,"c\\"d",""}', "other"],
  ["timestamptz[]", "array['2026-07-04 05:06:07+02'::timestamptz]", '{"2026-07-04 03:06:07+00"}'],
  ["tstzrange", "'[2026-07-04 05:06:07+02,)'", '["2026-07-04 03:06:07+00",)', "other"],
  ["positive", "7", "7", "integer"],
  ["label", "'x'", "x", "text"],
  ["regclass", "'item'", "public.item", "other"],
  ['"Weird ""type"', "'x'", "x", "enum"],
];

// Everything that can change how a session prints values.
const oddSettings = [
  "set datestyle = 'SQL, DMY'",
  "set timezone = 'Asia/Kathmandu'",
  "set intervalstyle = 'sql_standard'",
  "set extra_float_digits = -15",
  "set bytea_output = 'escape'",
  "set standard_conforming_strings = off",
  "set client_encoding = 'LATIN1'",
  "set xmlbinary = 'hex'",
  "set search_path = elsewhere",
  "set quote_all_identifiers = on",
  "set default_transaction_isolation = 'repeatable read'",
  "set enable_indexscan = off",
];

describe("values from PostgreSQL", () => {
  let db: SourceDatabase;
  let app: Session;
  let log: ChangeLog;
  let schema: TableSchema;
  const item: RowNote["table"] = { namespace: "public", name: "item" };
  const names = values.map((_, i) => `c${i}`);

  beforeEach(async () => {
    db = await postgres.open();
    app = await db.session();
    log = db.log();
    await app.run("create type mood as enum ('so so', 'ok')");
    await app.run(`create type "Weird ""type" as enum ('x')`);
    await app.run("create domain positive as int check (value > 0)");
    await app.run("create domain label as varchar(10)");
    await app.run("create table item (id int primary key)");
    for (const [i, [type]] of values.entries()) await app.run(`alter table item add c${i} ${type}`);
    schema = (await db.writer.describe(app.run, [item]))[0]!;
  });
  afterEach(() => db.drop());

  const insert = `insert into item (id, ${names.join(", ")}) values (1, ${values.map(([, written]) => written).join(", ")})`;

  it("arrive as the database prints them", async () => {
    await app.transaction([{ table: item, op: "insert", key: ["1"] }], () => app.run(insert));
    await cutAll(log);
    expect(cellsOf((await readAll(log))[0])).to.deep.equal(["1", ...values.map(([, , text]) => text)]);
  });

  it("arrive the same whatever the writer's session settings are", async () => {
    await app.run(insert);
    for (const setting of oddSettings) await app.run(setting);
    await app.transaction([{ table: item, op: "update", key: ["1"] }]);
    await app.transaction([
      { table: item, op: "update", key: ["1"] },
      { table: item, op: "delete", key: ["2"] },
    ]);
    await cutAll(log);
    const [one, many] = await readAll(log);
    expect(cellsOf(one)).to.deep.equal(["1", ...values.map(([, , text]) => text)]);
    expect(cellsOf(many)).to.deep.equal(cellsOf(one));
    expect(one!.schema).to.equal(schema.fingerprint);
  });

  it("arrive the same from functions that pin what their tables' types need, one by one and several at a time", async () => {
    const tables = names.map((name) => ({ namespace: "public", name }));
    for (const [i, [type]] of values.entries())
      await app.run(`create table c${i} (id int primary key, v ${type})`);
    await db.writer.describe(app.run, tables);
    await app.run(insert);
    for (const setting of oddSettings.filter((s) => !s.includes("isolation"))) await app.run(setting);
    for (const table of tables) {
      const note = (id: number): RowNote => ({ table, op: "insert", key: [String(id)] });
      const fill = (from: number, to: number) => () =>
        app.run(
          `insert into public.${table.name} select n, ${table.name} from public.item, generate_series(${from}, ${to}) n`,
        );
      await app.transaction([note(0)], fill(0, 0));
      await app.transaction([note(1), note(2)], fill(1, 2));
    }
    await cutAll(log);
    const written = new Map(names.map((name): [string, unknown[]] => [name, []]));
    for (const event of await readAll(log)) written.get(event.table.name)?.push(cellsOf(event));
    expect([...written.values()]).to.deep.equal(
      values.map(([, , text]) => Array.from({ length: 3 }, (_, id) => [String(id), text])),
    );
  });

  it("arrive the same through triggers, each type in a table of its own, one by one and several at a time", async () => {
    const tables = names.map((name) => ({ namespace: "public", name }));
    for (const [i, [type]] of values.entries())
      await app.run(`create table c${i} (id int primary key, v ${type})`);
    for (const statement of (await postgresTriggers().plan(app.run, tables)).statements) {
      await app.run(statement);
    }
    await app.run(insert);
    for (const setting of oddSettings.filter((s) => !s.includes("isolation"))) await app.run(setting);
    for (const name of names) {
      await app.run(`insert into public.${name} select 0, ${name} from public.item`);
      await app.run(`insert into public.${name} select n, ${name} from public.item, generate_series(1, 5) n`);
    }
    await cutAll(log);
    const written = new Map(names.map((name): [string, unknown[]] => [name, []]));
    for (const event of await readAll(log)) written.get(event.table.name)?.push(cellsOf(event));
    expect([...written.values()]).to.deep.equal(
      values.map(([, , text]) => Array.from({ length: 6 }, (_, id) => [String(id), text])),
    );
  });

  it("have the kinds that conversions go by", () => {
    const expected = values.flatMap(([, , , kind], i) => (kind === undefined ? [] : [[`c${i}`, kind]]));
    const kinds = new Map(schema.columns.map((column) => [column.name, column.kind]));
    expect(expected.map(([name]) => [name, kinds.get(name!)])).to.deep.equal(expected);
  });

  it("of a table with far more columns than a function takes arguments", async () => {
    const columns = Array.from({ length: 400 }, (_, i) => `w${i}`);
    await app.run(`create table wide (id int primary key, ${columns.map((c) => `${c} int`).join(", ")})`);
    const wide = { namespace: "public", name: "wide" };
    await app.transaction([{ table: wide, op: "insert", key: ["1"] }], () =>
      app.run(`insert into wide values (1, ${columns.map((_, i) => i).join(", ")})`),
    );
    await cutAll(log);
    expect(cellsOf((await readAll(log))[0])).to.deep.equal(["1", ...columns.map((_, i) => String(i))]);
  });

  it("find their rows by keys of any type", async () => {
    const keys: readonly (readonly [type: string, written: string, text: string])[] = [
      ["uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
      ["timestamptz", "'2026-07-04 05:06:07.891011+02'", "2026-07-04 03:06:07.891011+00"],
      ["numeric", "1.50", "1.50"],
      ["char(6)", "'ab'", "ab    "],
      ["bytea", "'\\x00ff'", "\\x00ff"],
      ["mood", "'so so'", "so so"],
      ["label", "'x'", "x"],
      ["text", `E'a"b\\\\c\\n\\U0001F600'`, 'a"b\\c\n😀'],
    ];
    for (const [i, [type, written, text]] of keys.entries()) {
      const table = { namespace: "public", name: `keyed ${i}` };
      await app.run(`create table "keyed ${i}" (id ${type} primary key, v int)`);
      await app.transaction([{ table, op: "insert", key: [text] }], () =>
        app.run(`insert into "keyed ${i}" values (${written}, 1)`),
      );
      await app.transaction([{ table, op: "delete", key: [text] }], () =>
        app.run(`delete from "keyed ${i}"`),
      );
    }
    await cutAll(log);
    const events = await readAll(log);
    expect(events.map((event) => [event.op, event.key])).to.deep.equal(
      keys.flatMap(([, , text]) => [
        ["insert", JSON.stringify([text])],
        ["delete", JSON.stringify([text])],
      ]),
    );
  });
});
