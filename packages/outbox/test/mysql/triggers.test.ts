import { expect } from "chai";
import { cellsOf, noteOf } from "../fixture/database.js";
import { mariaDb } from "../fixture/mysql.js";
import { openTriggers, type TriggerSource } from "../fixture/triggers.js";

describe("triggers on MariaDB", () => {
  let db: TriggerSource;
  const run = (sql: string) => db.session.run(sql);
  beforeEach(async () => {
    db = await openTriggers(mariaDb);
    await run("CREATE TABLE item (id INT PRIMARY KEY, v VARCHAR(40))");
  });
  afterEach(() => db.close());

  it("are found missing before they are installed, and in order afterwards", async () => {
    expect(await db.install("item")).to.deep.equal(["missing"]);
    expect(await db.findings("item")).to.deep.equal([]);
    for (const statement of await db.removal()) await run(statement);
    expect(await db.findings("item")).to.deep.equal(["missing"]);
    await run("INSERT INTO item VALUES (1, 'a')");
    expect(await db.changes()).to.deep.equal([]);
  });

  it("stay where another database of the server is captured, when these are removed", async () => {
    const other = await openTriggers(mariaDb);
    try {
      await other.session.run("CREATE TABLE item (id INT PRIMARY KEY)");
      await other.install("item");
      await db.install("item");
      for (const statement of await db.removal()) await run(statement);
      expect(await other.findings("item")).to.deep.equal([]);
    } finally {
      await other.close();
    }
  });

  it("rows of statements, of REPLACE and ON DUPLICATE KEY, and changed keys; a tick is one transaction", async () => {
    await db.install("item");
    await run("INSERT INTO item VALUES (1, 'a'), (2, NULL)");
    await run("INSERT INTO item VALUES (1, 'b'), (3, 'c') ON DUPLICATE KEY UPDATE v = VALUES(v)");
    await run("REPLACE INTO item VALUES (3, 'd')");
    await run("UPDATE item SET id = 4 WHERE id = 2");
    await run("DELETE FROM item WHERE id = 1");
    const events = await db.events();
    expect(events.map(({ op, key, before, image }) => [op, key, before, image])).to.deep.equal([
      ["insert", '["1"]', undefined, '["1","a"]'],
      ["insert", '["2"]', undefined, '["2",null]'],
      ["update", '["1"]', undefined, '["1","b"]'],
      ["insert", '["3"]', undefined, '["3","c"]'],
      ["delete", '["3"]', undefined, undefined],
      ["insert", '["3"]', undefined, '["3","d"]'],
      ["update", '["4"]', '["2"]', '["4",null]'],
      ["delete", '["1"]', undefined, undefined],
    ]);
    expect(events.filter(({ endsTransaction }) => endsTransaction)).to.have.length(1);
  });

  it("rows that IGNORE passes over are not written: taken keys, taken unique values, foreign keys without the other side", async () => {
    await run(
      "CREATE TABLE part (id INT, k VARCHAR(9), u VARCHAR(9) UNIQUE, item INT, n INT, PRIMARY KEY (id, k), FOREIGN KEY (item) REFERENCES item (id))",
    );
    await db.install("part");
    await run("INSERT INTO item VALUES (1, 'a')");
    await run("INSERT INTO part VALUES (1, 'x', 'a', 1, 0), (2, 'x', 'b', NULL, 0), (3, 'x', 'c', 1, 0)");
    await run("UPDATE IGNORE part SET u = 'B', n = 1 WHERE id = 1");
    await run("UPDATE IGNORE part SET id = 3, n = 2");
    await run("UPDATE IGNORE part SET item = 9, n = 3");
    await run("INSERT IGNORE INTO part VALUES (1, 'x', 'z', 1, 4), (4, 'x', 'd', 9, 4)");
    await run("DELETE IGNORE FROM item");
    // And those that it doesn't are.
    await run("UPDATE IGNORE part SET u = 'e', id = 5, item = NULL, n = 6 WHERE id = 1");
    await run("UPDATE part SET k = 'X', n = 7 WHERE id = 2");
    await run("UPDATE part SET id = id + 1 WHERE id IN (2, 3) ORDER BY id DESC");
    const rows = new Map<string, string>();
    for (const { op, key, before, image } of await db.events()) {
      rows.delete(before ?? "");
      if (op === "delete") rows.delete(key);
      else rows.set(key, image!);
    }
    const here = await run("SELECT * FROM part");
    const cells = here.map((row) =>
      Object.values(row).map((value) => (value === null ? null : String(value))),
    );
    expect([...rows.values()].toSorted()).to.deep.equal(cells.map((row) => JSON.stringify(row)).toSorted());
    expect(cells.map(([, , , , n]) => n).toSorted()).to.deep.equal(["2", "6", "7"]);
    expect(await db.findings("part")).to.deep.equal([]);
  });

  it("a system-versioned table's rows are captured, and its history isn't", async () => {
    await run("CREATE TABLE kept (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING");
    await db.install("kept");
    await run("INSERT INTO kept VALUES (1, 1), (2, 1)");
    await run("UPDATE kept SET v = 2 WHERE id = 1");
    await run("DELETE FROM kept WHERE id = 2");
    const events = await db.events();
    expect(events.map(({ op, key, image }) => [op, key, image])).to.deep.equal([
      ["insert", '["1"]', '["1","1"]'],
      ["insert", '["2"]', '["2","1"]'],
      ["update", '["1"]', '["1","2"]'],
      ["delete", '["2"]', undefined],
    ]);
  });

  it("what is rolled back leaves no trace", async () => {
    await db.install("item");
    await run("BEGIN");
    await run("INSERT INTO item VALUES (1, 'a')");
    await run("SAVEPOINT a");
    await run("INSERT INTO item VALUES (2, 'b')");
    await run("ROLLBACK TO a");
    await run("COMMIT");
    await run("BEGIN");
    await run("INSERT INTO item VALUES (3, 'c')");
    await run("ROLLBACK");
    expect(await db.changes()).to.deep.equal(['i ["1"]']);
  });

  it("images and keys are the flush's, keys byte for byte, whatever the session's settings are", async () => {
    await run(`CREATE TABLE all_types (k1 VARCHAR(60) CHARACTER SET latin1 COLLATE latin1_bin, k2 VARBINARY(8), a BIGINT UNSIGNED, b DECIMAL(65,30), c FLOAT,
      d DOUBLE, e BIT(9), f DATETIME(6), g TIMESTAMP(3) NULL, h TIME(2), i DATE, j YEAR, l CHAR(6), m TEXT, n BLOB, o JSON, p ENUM('x','ü'),
      q SET('a','b'), r TINYINT(1), s VARCHAR(20) CHARACTER SET utf16, t INT GENERATED ALWAYS AS (a % 7) STORED, u INT GENERATED ALWAYS AS (a % 5) VIRTUAL,
      \`odd \`\`name\` INT, new_key INT, z TIMESTAMP NULL, PRIMARY KEY (k1, k2))`);
    await db.install("all_types");
    const controls = Array.from({ length: 32 }, (_, n) => n.toString(16).padStart(2, "0")).join("");
    await run(
      "SET time_zone = '+05:45', sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES,ANSI_QUOTES', character_set_results = latin1, div_precision_increment = 0",
    );
    await run("SET character_set_connection = latin1, collation_connection = latin1_german2_ci");
    await run(`INSERT INTO all_types (k1, k2, a, b, c, d, e, f, g, h, i, j, l, m, n, o, p, q, r, s, \`odd \`\`name\`, new_key, z)
      VALUES (CONVERT(X'${controls}5c5c7530303042225c7fe42f' USING latin1), X'00FF', 18446744073709551615,
      12345678901234567890123456789012345.000000000000000000000000000001, 16777217, 0.1, b'101', '2026-03-04 05:06:07.891011',
      '2026-03-04 05:06:07.891', '-838:59:59', '0000-00-00', 2026, 'ab', CONVERT(X'f09f9880e282ac0a' USING utf8mb4), X'00ff5c',
      '{"a": 9007199254740993, "a": 1.10}', CONVERT(X'c3bc' USING utf8mb4), 'a,b', 1, 'A', 1, 2, '0000-00-00 00:00:00')`);
    await run("INSERT INTO all_types (k1, k2) VALUES ('', '')");
    const [full, empty] = await db.events();
    const other = await db.source.session();
    const keys = [full, empty].map((event) => JSON.parse(event!.key) as string[]);
    const table = { namespace: db.source.namespace, name: "all_types" };
    await other.transaction(keys.map((key) => ({ ...noteOf(table, "update", ""), key })));
    const flushed = await db.events();
    expect(flushed.map(({ key }) => key)).to.deep.equal([full!.key, empty!.key]);
    expect(flushed.map(cellsOf)).to.deep.equal([full, empty].map(cellsOf));
    expect(cellsOf(empty).slice(2, 19)).to.deep.equal(Array(17).fill(null));
  });

  it("a column that is added later is noticed and mended, and no write is lost on the way", async () => {
    await db.install("item");
    await run("ALTER TABLE item ADD COLUMN w INT DEFAULT 5");
    await run("INSERT INTO item VALUES (1, 'a', 6)");
    expect(await db.findings("item")).to.deep.equal(["drifted"]);
    expect(await db.install("item")).to.deep.equal(["drifted"]);
    expect(await db.findings("item")).to.deep.equal([]);
    await run("UPDATE item SET w = 7");
    const events = await db.events();
    expect(events.map(({ image }) => image)).to.deep.equal(['["1","a"]', '["1","a","7"]']);
    expect(new Set(events.map(({ schema }) => schema)).size).to.equal(2);
  });

  it("a renamed table's writes go under its old name until they are made anew: said whichever tables are asked about", async () => {
    await run("CREATE TABLE other (id INT PRIMARY KEY)");
    await db.install("item", "other");
    await run("RENAME TABLE item TO thing");
    await run("INSERT INTO thing VALUES (1, 'a')");
    expect((await db.events()).map(({ table }) => table.name)).to.deep.equal(["item"]);
    const said = async (...names: string[]) => (await db.plan(...names)).findings;
    const message = `${db.source.namespace}.thing was renamed: its triggers write its changes under the name that it had`;
    expect(await said("other")).to.deep.equal([
      { table: `${db.source.namespace}.thing`, problem: "drifted", message },
    ]);
    expect(await said("thing", "other")).to.deep.equal([
      { table: `${db.source.namespace}.thing`, problem: "missing", message },
    ]);
    await db.install("thing", "other");
    expect(await said("other")).to.deep.equal([]);
    expect(await said("thing", "other")).to.deep.equal([]);
    await run("UPDATE thing SET v = 'b'");
    expect((await db.events()).map(({ op, table }) => `${op} ${table.name}`)).to.deep.equal(["update thing"]);
  });

  it("a row whose text is larger than max_allowed_packet is refused: no event without its values", async () => {
    await run("CREATE TABLE large (id INT PRIMARY KEY, v LONGBLOB)");
    await db.install("large");
    const [row] = await run("SELECT @@max_allowed_packet AS n");
    const error = await run(
      `INSERT INTO large VALUES (1, REPEAT('x', ${Math.floor(Number(row!["n"]) * 0.6)}))`,
    ).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(Error);
    expect(await run("SELECT id FROM large")).to.deep.equal([]);
    expect(await db.changes()).to.deep.equal([]);
  });

  it("triggers of the application stay and fire", async () => {
    await run("CREATE TABLE audit (n INT AUTO_INCREMENT PRIMARY KEY, item INT)");
    await run(
      "CREATE TRIGGER mine AFTER INSERT ON item FOR EACH ROW INSERT INTO audit (item) VALUES (NEW.id)",
    );
    await run("CREATE TRIGGER early BEFORE INSERT ON item FOR EACH ROW SET NEW.v = UPPER(NEW.v)");
    await db.install("item", "audit");
    await run("INSERT INTO item VALUES (1, 'a')");
    expect((await db.events()).map(({ table, image }) => [table.name, image])).to.have.deep.members([
      ["audit", '["1","1"]'],
      ["item", '["1","A"]'],
    ]);
  });

  it("origin and traceparent as the session sets them", async () => {
    await db.install("item");
    await run("SET @lockstep_origin = 'elsewhere', @lockstep_traceparent = '00-a-b-01'");
    await run("INSERT INTO item VALUES (1, 'a')");
    expect((await db.events())[0]!.transaction).to.include({ origin: "elsewhere", traceparent: "00-a-b-01" });
  });

  it("what is for certain targets only stays so between rows of triggers, whose tick is one transaction", async () => {
    await db.install("item");
    await run("INSERT INTO item VALUES (1, 'a')");
    const { writer, namespace } = db.source;
    const note = { ...noteOf({ namespace, name: "item" }, "delete", 7) };
    await run("BEGIN");
    await writer.append(db.session.run, [note], { audience: ["mirror"] });
    await run("COMMIT");
    await run("INSERT INTO item VALUES (2, 'b')");
    const events = await db.events();
    expect(
      events.map(({ key, transaction, endsTransaction }) => [key, transaction.audience, endsTransaction]),
    ).to.deep.equal([
      ['["1"]', undefined, false],
      ['["7"]', ["mirror"], false],
      ['["2"]', undefined, true],
    ]);
  });

  it("many sessions that change many rows at once: every row's last event is its last state", async () => {
    await run("CREATE TABLE busy (id INT PRIMARY KEY, v INT)");
    await db.install("busy");
    await run(`INSERT INTO busy VALUES ${Array.from({ length: 40 }, (_, i) => `(${i}, 0)`).join(", ")}`);
    const deadlock = 1213;
    const sessions = await Promise.all(Array.from({ length: 6 }, () => db.source.session()));
    await Promise.all(
      sessions.map(async (session, s) => {
        for (let n = 0; n < 40; n++) {
          const from = (s * 7 + n * 3) % 30;
          await session
            .run(`UPDATE busy SET v = v + 1 WHERE id BETWEEN ${from} AND ${from + 10}`)
            .catch((error: unknown) => {
              if ((error as { errno?: number }).errno !== deadlock) throw error;
            });
        }
      }),
    );
    const last = new Map((await db.events()).map(({ key, image }) => [key, image]));
    const rows = await run("SELECT id, v FROM busy");
    expect(
      rows.map(({ id, v }) => last.get(`["${String(id)}"]`) === `["${String(id)}","${String(v)}"]`),
    ).to.not.include(false);
  });
});
