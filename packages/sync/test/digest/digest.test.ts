import { mappingOf, type RunStatement, type TableReader, type TableSchema } from "@lockstep/core";
import { mysqlOutboxWriter, mysqlReader, postgresOutboxWriter, postgresReader } from "@lockstep/outbox";
import { type FreshDatabase, freshMariaDb, freshPostgres } from "@lockstep/testing";
import { expect } from "chai";
import { createConnection } from "mysql2/promise";
import pg from "pg";
import { compareTable, type ComparedTable } from "../../src/index.js";
import { compareMapped } from "../../src/mapped/compare-mapped.js";

type Run = (sql: string) => Promise<unknown>;

/** Column, value, and values that differ from it in as little as its type can. */
type Change = readonly [column: string, type: string, value: string, ...others: string[]];

const postgresColumns: readonly Change[] = [
  ["i", "integer", "7", "6", "-7", "null"],
  // The halves of a bigint that a hash of 32 bits folds into one.
  ["b", "bigint", "1", "4294967296", "0", "-1"],
  ["n", "numeric", "1.5", "1.50", "-1.5", "1.50000000000000000000001"],
  ["d", "double precision", "0.1", "0.10000000000000002", "-0.1", "'NaN'"],
  ["z", "double precision", "0", "'-0'", "null", "5e-324"],
  ["f", "real", "0.1", "0.10000001", "0"],
  ["t", "text", "'ab'", "'aB'", "'ab '", "''", "null", "'b'"],
  ["v", "varchar(10)", "''", "' '", "null", "'N'"],
  ["y", "bytea", "'\\x00ff'", "'\\x00fe'", "'\\x0000ff'", "''"],
  ["o", "boolean", "true", "false", "null"],
  ["u", "uuid", "'00000000-0000-4000-8000-000000000000'", "'00000000-0000-4000-8000-000000000001'"],
  ["m", "timestamptz", "'2026-01-01 00:00:00+00'", "'2026-01-01 00:00:00.000001+00'", "'infinity'"],
  ["s", "timestamp", "'2026-01-01 00:00:00'", "'2026-01-01 00:00:01'"],
  ["c", "date", "'2026-01-01'", "'2026-01-02'"],
  ["j", "json", `'{"a":1}'`, `'{"a": 1}'`],
  ["jb", "jsonb", `'{"a":1}'`, `'{"a":1.0}'`],
  ["a", "int[]", "'{1,2}'", "'{1,3}'", "'{{1,2}}'"],
  ["x", "bit(4)", "B'0101'", "B'0100'"],
  ["k", "char(4)", "'a'", "'b'"],
];

const mysqlColumns: readonly Change[] = [
  ["i", "int", "7", "6", "-7", "null"],
  ["b", "bigint unsigned", "1", "4294967296", "18446744073709551615"],
  ["n", "decimal(20,4)", "1.5", "1.5001", "-1.5"],
  ["d", "double", "0.1", "0.10000000000000002", "-0.1", "1e300", "5e-324"],
  ["f", "float", "16777216", "16777218"],
  ["t", "text", "'ab'", "'aB'", "'ab '", "''", "null", "'b'"],
  ["v", "varchar(10) collate utf8mb4_general_ci", "'a'", "'A'", "'a '", "'ä'", "'N'", "null"],
  ["y", "blob", "x'00ff'", "x'00fe'", "x'0000ff'", "''"],
  ["o", "tinyint(1)", "1", "0", "null"],
  ["m", "timestamp(6)", "'2026-01-01 00:00:00'", "'2026-01-01 00:00:00.000001'"],
  ["s", "datetime(6)", "'2026-01-01 00:00:00'", "'0000-00-00'"],
  ["c", "date", "'2026-01-01'", "'2026-01-02'"],
  ["h", "time(6)", "'-00:00:01'", "'00:00:01'"],
  ["j", "json", `'{"a":1}'`, `'{"a": 1}'`],
  ["x", "bit(4)", "b'0101'", "b'0100'"],
  ["e", "enum('a','b')", "'a'", "'b'"],
];

interface Engine {
  readonly name: string;
  readonly columns: readonly Change[];
  open(): Promise<{
    readonly database: FreshDatabase;
    readonly run: Run;
    readonly reader: TableReader;
    readonly namespace: string;
    /** As the outbox describes it. */
    schemaOf(name: string): Promise<TableSchema>;
    close(): Promise<unknown>;
  }>;
}

const engines: readonly Engine[] = [
  {
    name: "PostgreSQL",
    columns: postgresColumns,
    async open() {
      const database = await freshPostgres();
      const client = new pg.Client(database.url);
      await client.connect();
      await client.query("set time zone 'UTC'");
      const reader = postgresReader(database.url, "test");
      return {
        database,
        run: (sql) => client.query(sql),
        reader,
        namespace: "public",
        async schemaOf(name) {
          const run: RunStatement = async (sql, values) =>
            (await client.query<Record<string, unknown>>(sql, values && [...values])).rows ?? [];
          await postgresOutboxWriter().ensure(run);
          return (await postgresOutboxWriter().describe(run, [{ namespace: "public", name }]))[0]!;
        },
        close: () => client.end(),
      };
    },
  },
  {
    name: "MariaDB",
    columns: mysqlColumns,
    async open() {
      const database = await freshMariaDb();
      const client = await createConnection(database.url);
      await client.query("SET sql_mode = '', time_zone = '+00:00'");
      const namespace = new URL(database.url).pathname.slice(1);
      return {
        database,
        run: (sql) => client.query(sql),
        reader: mysqlReader(database.url),
        namespace,
        async schemaOf(name) {
          const run: RunStatement = async (sql, values) =>
            (await client.query(sql, values && [...values]))[0] as Record<string, unknown>[];
          await mysqlOutboxWriter().ensure(run);
          return (await mysqlOutboxWriter().describe(run, [{ namespace, name }]))[0]!;
        },
        close: () => client.end(),
      };
    },
  },
];

type Opened = Awaited<ReturnType<Engine["open"]>>;

function named({ reader: { engine }, namespace }: Opened, name: string) {
  return { engine, namespace, name, columns: [] };
}

for (const engine of engines) {
  describe(`digests on ${engine.name}`, () => {
    let opened: Opened;
    let table: ComparedTable;
    const columns = engine.columns.map(([name, type]) => `${name} ${type}`).join(", ");
    const values = engine.columns.map(([, , value]) => value).join(", ");
    const digest = async (): Promise<string> => JSON.stringify(await table.source.digest({}));

    before(async () => {
      opened = await engine.open();
      await opened.run(`create table r (id int primary key, ${columns})`);
      for (const id of [1, 2, 3]) await opened.run(`insert into r values (${id}, ${values})`);
      const { reader } = opened;
      // A table beside itself: the forms of its columns within one engine.
      table = (await compareTable({ source: reader, target: reader }, named(opened, "r")))!;
    });
    after(async () => {
      await opened.reader.close();
      await opened.close();
      await opened.database.drop();
    });

    it("compares every column, and finds the smallest change of any of them", async () => {
      expect(table.leftOut).to.deep.equal([]);
      const base = await digest();
      const same: string[] = [];
      for (const [name, , value, ...others] of engine.columns) {
        const seen = new Set([base]);
        for (const other of others) {
          await opened.run(`update r set ${name} = ${other} where id = 2`);
          const changed = await digest();
          if (seen.has(changed)) same.push(`${name} = ${other}`);
          seen.add(changed);
        }
        await opened.run(`update r set ${name} = ${value} where id = 2`);
      }
      expect(same).to.deep.equal([]);
      expect(await digest()).to.equal(base);
    });

    it("finds values that rows traded, and equal changes of two rows, which a sum or a xor of columns would hide", async () => {
      await opened.run("update r set i = 100, t = 'one' where id = 1");
      await opened.run("update r set i = 200, t = 'two' where id = 2");
      const base = await digest();
      await opened.run("update r set t = case id when 1 then 'two' else 'one' end where id < 3");
      expect(await digest()).not.to.equal(base);
      await opened.run("update r set t = 'same' where id < 3");
      const alike = await digest();
      await opened.run("update r set t = 'other' where id < 3");
      expect(await digest()).not.to.equal(alike);
    });

    it("tells texts apart whose columns run into each other", async () => {
      await opened.run("update r set t = '1:', v = '2' where id = 3");
      const base = await digest();
      await opened.run("update r set t = '1', v = ':2' where id = 3");
      expect(await digest()).not.to.equal(base);
    });

    it("finds rows again by the keys that it gives, of any type", async () => {
      const keyless = new Set(["text", "json", "jsonb", "blob"]);
      const lost: string[] = [];
      for (const [name, type, ...all] of engine.columns.filter(([, type]) => !keyless.has(type))) {
        await opened.run(`create table k_${name} (k ${type} primary key, n int)`);
        const values = [...new Set(all)].filter((value) => value !== "null");
        for (const value of values) {
          // Two values may be one key: 1.5 and 1.50.
          await opened.run(`insert into k_${name} values (${value}, 1)`).catch(() => undefined);
        }
        const { reader } = opened;
        const keyed = await compareTable({ source: reader, target: reader }, named(opened, `k_${name}`));
        const keys = [...(await keyed!.source.list({})).keys()];
        const again = await keyed!.source.at(keys.map((key) => JSON.parse(key) as string[]));
        if (keys.length === 0 || again.size !== keys.length)
          lost.push(`${type}: ${again.size} of ${keys.length}`);
      }
      expect(lost).to.deep.equal([]);
    });

    it("are the same when rows are read and mapped in the process", async () => {
      const { reader } = opened;
      const mapping = mappingOf({ r: { where: ({ id }) => id !== 2n } });
      const [route] = mapping.routes(await opened.schemaOf("r"))!;
      await opened.run("update r set t = 'one # of', v = '#' where id = 1");
      const mapped = (await compareMapped({ source: reader, target: reader }, route!))!;
      expect(mapped.leftOut).to.deep.equal([]);
      const [here, there] = await Promise.all([mapped.source.list({}), mapped.target!.list({})]);
      expect([...here.keys()]).to.deep.equal(['["1"]', '["3"]']);
      for (const [key, { hash }] of here) expect(there.get(key)!.hash, key).to.equal(hash);
      const buckets = await Promise.all([mapped.source.buckets(5), mapped.target!.buckets(5)]);
      const [mine, theirs] = buckets.map((all) => all as ReadonlyMap<number, { readonly sum: string }>);
      let equal = 0;
      for (const [bucket, { sum }] of mine!) if (theirs!.get(bucket)?.sum === sum) equal++;
      expect(equal).to.be.greaterThan(0);
      expect([...(await mapped.source.at([["1"], ["2"], ["9"]])).keys()]).to.deep.equal(['["1"]']);
      expect(await mapped.source.texts(["1"])).to.deep.equal(await mapped.target!.texts(["1"]));
    });

    it("cuts the table into slices that hold each row once", async () => {
      const boundary = await table.source.boundary(undefined, 2);
      expect(boundary).to.deep.equal(["2"]);
      const [first, second] = await Promise.all([
        table.source.digest({ through: boundary }),
        table.source.digest({ after: boundary }),
      ]);
      expect([first.rows, second.rows]).to.deep.equal([2, 1]);
      expect([...(await table.source.list({ after: boundary })).keys()]).to.deep.equal(['["3"]']);
      const buckets = await table.source.buckets(2);
      expect([...buckets.values()].reduce((sum, { rows }) => sum + rows, 0)).to.equal(3);
      for (const [bucket, { rows }] of buckets) {
        expect((await table.source.list({ of: 2, buckets: [bucket] })).size).to.equal(rows);
      }
      expect([...(await table.source.at([["1"], ["9"]])).keys()]).to.deep.equal(['["1"]']);
    });
  });
}
