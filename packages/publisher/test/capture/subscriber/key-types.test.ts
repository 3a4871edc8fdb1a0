import { expect } from "chai";
import { EntitySchema, type EntitySchemaColumnOptions } from "typeorm";
import { type DriverType, openSource, type Source } from "../../support/open-source.js";

interface KeyCase {
  readonly column: Omit<EntitySchemaColumnOptions, "primary">;
  /** Values; a function gives SQL. */
  readonly keys: readonly [unknown, unknown];
  /** The texts by which the outbox knows them; or SQL that tells, where TypeORM's own conversion of dates comes between. */
  readonly texts: readonly [string, string] | string;
}

const sql = (text: string) => () => text;

const cases: Readonly<Record<"postgres" | "mysql", Readonly<Record<string, KeyCase>>>> = {
  postgres: {
    bigint: {
      column: { type: "bigint" },
      keys: ["9007199254740993", "-5"],
      texts: ["9007199254740993", "-5"],
    },
    numeric: {
      column: { type: "numeric", precision: 12, scale: 3 },
      keys: ["1.5", "2"],
      texts: ["1.500", "2.000"],
    },
    uuid: {
      column: { type: "uuid" },
      keys: ["AAAAAAAA-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"],
      texts: ["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"],
    },
    timestamptz: {
      column: { type: "timestamptz" },
      keys: [sql("'2026-03-29 01:30:00.123456+00'"), sql("'infinity'")],
      texts: ["2026-03-29 01:30:00.123456+00", "infinity"],
    },
    timestamp: {
      column: { type: "timestamp" },
      keys: [sql("'2026-03-29 02:30:00.000001'"), sql("'0044-03-15 00:00:00 BC'")],
      texts: ["2026-03-29 02:30:00.000001", "0044-03-15 00:00:00 BC"],
    },
    date: {
      column: { type: "date" },
      keys: ["2026-12-31", "2026-01-02"],
      texts: ["2026-12-31", "2026-01-02"],
    },
    bytea: {
      column: { type: "bytea" },
      keys: [Buffer.from("00ff5c27", "hex"), Buffer.from("", "hex")],
      texts: [String.raw`\x00ff5c27`, String.raw`\x`],
    },
    char: { column: { type: "char", length: 6 }, keys: ["ab", "a'\"\\"], texts: ["ab    ", "a'\"\\  "] },
    text: { column: { type: "text" }, keys: ["", "€ 😀\t\n\\"], texts: ["", "€ 😀\t\n\\"] },
    boolean: { column: { type: "boolean" }, keys: [true, false], texts: ["true", "false"] },
    enum: { column: { type: "enum", enum: ["a'b", "B"] }, keys: ["a'b", "B"], texts: ["a'b", "B"] },
    inet: { column: { type: "inet" }, keys: ["10.0.0.1", "10.0.0.0/8"], texts: ["10.0.0.1", "10.0.0.0/8"] },
  },
  mysql: {
    bigint: {
      column: { type: "bigint", unsigned: true },
      keys: ["18446744073709551615", "5"],
      texts: ["18446744073709551615", "5"],
    },
    decimal: {
      column: { type: "decimal", precision: 12, scale: 3 },
      keys: ["1.5", "2"],
      texts: ["1.500", "2.000"],
    },
    datetime: {
      column: { type: "datetime", precision: 6 },
      keys: ["2026-03-29 02:30:00.123456", "2026-10-25 02:30:00"],
      texts: "CAST(id AS CHAR)",
    },
    "datetime of seconds": {
      column: { type: "datetime", precision: 0 },
      keys: ["2026-03-29 02:30:00.2", "2026-10-25 02:30:00"],
      texts: "CAST(id AS CHAR)",
    },
    timestamp: {
      column: { type: "timestamp", precision: 3 },
      keys: ["2026-03-29 04:30:00.123", "2026-07-01 02:30:00"],
      texts: "CAST(CONVERT_TZ(id, @@session.time_zone, '+00:00') AS CHAR)",
    },
    date: {
      column: { type: "date" },
      keys: ["2026-12-31", "2026-01-02"],
      texts: ["2026-12-31", "2026-01-02"],
    },
    varbinary: {
      column: { type: "varbinary", length: 8 },
      keys: [Buffer.from("00ff5c27", "hex"), Buffer.from("", "hex")],
      texts: ["00FF5C27", ""],
    },
    binary: {
      column: { type: "binary", length: 4 },
      keys: [Buffer.from("00ff5c27", "hex"), Buffer.from("01020304", "hex")],
      texts: ["00FF5C27", "01020304"],
    },
    char: { column: { type: "char", length: 6 }, keys: ["ab", "a'\"\\"], texts: ["ab", "a'\"\\"] },
    varchar: { column: { type: "varchar", length: 20 }, keys: ["", "€ 😀\t\n\\"], texts: ["", "€ 😀\t\n\\"] },
    enum: { column: { type: "enum", enum: ["a'b", "B"] }, keys: ["a'b", "B"], texts: ["a'b", "B"] },
  },
};

for (const type of ["postgres", "mariadb", "mysql"] as const satisfies readonly DriverType[]) {
  const dialect = type === "postgres" ? "postgres" : "mysql";
  for (const [name, { column, keys, texts }] of Object.entries(cases[dialect])) {
    describe(`a primary key of type ${name}: ${type}`, () => {
      it("is told as the database prints it, whatever the session's settings", async () => {
        const row = new EntitySchema<{ id: string; v: number }>({
          name: "row",
          columns: { id: { ...column, primary: true }, v: { type: "int" } },
        });
        const source = await openSource(type, { options: { entities: [row] } });
        const runner = source.dataSource.createQueryRunner();
        try {
          for (const setting of settings[dialect]) await runner.query(setting);
          const { manager } = runner;
          const [first, second] = keys as readonly string[];
          await manager.insert(row, { id: first!, v: 1 });
          await manager.insert(row, { id: second!, v: 1 });
          const [a, b] = typeof texts === "string" ? await keysAsTold(source, texts) : texts;
          await manager.upsert(row, [{ id: second!, v: 2 }], ["id"]);
          await manager.createQueryBuilder().update(row).set({ v: 3 }).execute();
          await manager.delete(row, { v: 3 });
          const told = (await source.outbox()).map((event) => [event.op, event.key[0], event.image?.[1]]);
          expect(told.slice(0, 3)).to.deep.equal([
            ["insert", a, "1"],
            ["insert", b, "1"],
            ["update", b, "2"],
          ]);
          expect(told.slice(3, 5)).to.have.deep.members([
            ["update", a, "3"],
            ["update", b, "3"],
          ]);
          expect(told.slice(5)).to.have.deep.members([
            ["delete", a, undefined],
            ["delete", b, undefined],
          ]);
        } finally {
          await runner.release();
          await source.close();
        }
      });
    });
  }
}

/** Session settings that change how values are printed. */
const settings = {
  postgres: [
    "SET TimeZone = 'Australia/Lord_Howe'",
    "SET DateStyle = 'SQL, DMY'",
    "SET bytea_output = 'escape'",
  ],
  mysql: [
    "SET time_zone = '+05:30'",
    "SET SESSION sql_mode = CONCAT(@@sql_mode, ',PAD_CHAR_TO_FULL_LENGTH')",
  ],
};

async function keysAsTold(source: Source, texts: string): Promise<[string, string]> {
  const rows = await source.sql(`SELECT ${texts} AS id FROM \`row\` ORDER BY id`);
  return [String(rows[0]?.["id"]), String(rows[1]?.["id"])];
}
