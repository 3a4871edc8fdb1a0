import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { type Kind, openSyncRig, type SyncRig } from "./rig.js";

interface Way {
  readonly kind: Kind;
  readonly targets: Readonly<Record<string, Kind>>;
  readonly setup: readonly string[];
  /** Keys of rows that a target refuses. */
  readonly letters: Readonly<Record<string, readonly string[]>>;
}

const ways: readonly Way[] = [
  {
    kind: "mariadb",
    targets: { postgres: "postgres", mariadb: "mariadb" },
    setup: [
      `create table awkward (id bigint unsigned, part varchar(20) collate utf8mb4_bin, t longtext, l varchar(40) character set latin1, c char(5), b longblob, bits bit(10), f float, d double,
        n decimal(30,10), ok tinyint(1), day date, at datetime(6), stamp timestamp(3) null, span time(2), y year, j json, e enum('a', 'ü'), s set('x', 'y'),
        half bigint as (id div 2) stored, primary key (id, part)) character set utf8mb4`,
      `insert into awkward (id, part, t, l, c, b, bits, f, d, n, ok, day, at, stamp, span, y, j, e, s) values
        (1, 'a\\tb', 'tab\\t, newline\\n, return\\r, backslash\\\\, \\\\N, \\\\n', 'grün', 'ab ', X'00095C0A0D', b'0000000101', 16777217, -0.1, -12345678901234567890.0123456789, 1,
          '2024-02-29', '2024-02-29 23:59:59.999999', '2024-02-29 23:59:59.125', '-838:59:59.25', 1999, '{"a": "\\\\n"}', 'ü', 'x,y'),
        (18446744073709551615, '', '', '', '', '', b'1111111111', 1e-30, 1e300, 0, 0, '0001-01-01', '9999-12-31 00:00:00', null, '00:00:00', null, '[]', 'a', ''),
        (2, 'Z', '👍 \\v\\f\\b', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
        (2, 'z', repeat('長い', 100000), null, null, repeat(X'FF', 300000), null, null, null, null, null, null, null, null, null, null, null, null, null)`,
      "create table refused (id int primary key, t text, ok tinyint(1), day date) character set utf8mb4",
      "insert into refused values (1, 'ok', 1, '2024-01-01'), (3, null, null, '0000-00-00'), (4, X'610062', null, null), (5, null, 7, null)",
    ],
    letters: { postgres: ['["3"]', '["4"]', '["5"]'], mariadb: [] },
  },
  {
    kind: "postgres",
    targets: { mariadb: "mariadb" },
    setup: [
      `create table awkward (id numeric(20), part text, t text, c char(5), b bytea, bits bit(10), f real, d double precision, n numeric, ok boolean, day date,
        at timestamp, stamp timestamptz, span interval, j jsonb, u uuid, list text[], primary key (id, part))`,
      `insert into awkward values
        (1, E'a\\tb', E'tab\\t, newline\\n, return\\r, backslash\\\\, \\\\N, \\\\n', 'ab', '\\x00095c0a0d', b'0000000101', 16777216, -0.1, -123.0123456789, true,
          '2024-02-29', '2024-02-29 23:59:59.999999', '2024-02-29 23:59:59.125+02', '-838:59:59.25', '{"a": "\\n"}', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', array['a b', null, E'\\t', '\\']),
        (99999999999999999999, '', '', '', '', b'1111111111', 1e-30, 1e300, 0, false, '0001-01-01', '9999-12-31 00:00:00', null, '0', '[]', null, '{}'),
        (2, 'Z', E'👍 \\v\\f\\b', null, null, null, null, null, null, null, null, null, null, null, null, null, null),
        (2, 'z', repeat('長い', 100000), null, decode(repeat('ff', 300000), 'hex'), null, null, null, null, null, null, null, null, null, null, null, null)`,
      "create table refused (id int primary key, d double precision, day date)",
      "insert into refused values (1, 1.5, '2024-01-01'), (3, null, 'infinity'), (4, 'NaN', null)",
    ],
    letters: { mariadb: ['["3"]', '["4"]'] },
  },
];

for (const { kind, targets, setup, letters } of ways) {
  describe(`a full sync of awkward values of ${kind} past the stream`, () => {
    let rig: SyncRig;
    before(async () => {
      rig = await openSyncRig({ kind, capture: "trigger", targets, tables: ["awkward", "refused"], setup });
    });
    after(async () => rig?.[Symbol.asyncDispose]());

    it("brings each as it is, and what a target can't hold as a letter", async () => {
      const said = await rig.lockstep("sync", "full", "--json");
      expect(said.code, said.error).to.equal(0);
      for (const [name, engine] of Object.entries(targets)) {
        const letter = engine === "postgres" ? "lockstep.dead_letter" : "lockstep_dead_letter";
        const find = async () => {
          const rows = await rig.targets[name]!.query(`select row_key from ${letter} order by row_key`);
          return rows.map((row) => String(row["row_key"]));
        };
        const all = letters[name]!;
        await eventually(async () => (await find()).length >= all.length, { what: `letters of ${name}` });
        expect(await find(), name).to.deep.equal(all);
        const verified = await rig.lockstep("verify", "--target", name, "--json");
        const { reports } = verified.json<{ readonly reports: readonly Report[] }>();
        const differences = reports[0]!.tables.map(
          ({ missing, extra, differing }) => missing + extra + differing,
        );
        expect(differences, JSON.stringify(reports)).to.deep.equal([0, 0]);
      }
      // The table with the refused rows, as it is a small one; nothing of the other.
      const outbox = kind === "postgres" ? "lockstep.outbox" : "lockstep_outbox";
      const rows = await rig.source.query(`select image from ${outbox} where op = 's'`);
      expect(rows.length).to.equal((await rig.source.query("select id from refused")).length);
    });
  });
}

interface Report {
  readonly tables: readonly {
    readonly missing: number;
    readonly extra: number;
    readonly differing: number;
  }[];
}
