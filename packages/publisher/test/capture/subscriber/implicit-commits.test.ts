import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import type { QueryRunner } from "typeorm";
import { openSource, type Source } from "../../support/open-source.js";
import { contents, liveRows, replay } from "../../support/replay.js";

/** Statements that look like definitions, and others, and what they do to a transaction: asked of the server, not of a list. */
const committing = [
  "CREATE TABLE IF NOT EXISTS somewhere (id INT)",
  "/*!50000 ALTER TABLE somewhere COMMENT 'x' */",
  "DROP TABLE IF EXISTS nowhere",
  "ANALYZE TABLE author",
  "CHECK TABLE author",
  "FLUSH STATUS",
  "TRUNCATE somewhere",
  "CREATE OR REPLACE VIEW seen AS SELECT 1 AS one",
  "CALL commits()",
  "CALL selects_and_commits()",
  "BEGIN NOT ATOMIC COMMIT; END",
  "EXECUTE IMMEDIATE 'COMMIT'",
  // They fail, and have committed before.
  "CREATE TABLE author (id INT)",
  "ALTER TABLE nowhere ADD c INT",
  "DROP TABLE nowhere",
  "CALL commits_and_fails()",
];
const staying = [
  "CREATE TABEL x",
  "CREATE TEMPORARY TABLE passing (id INT)",
  "CREATE OR REPLACE TEMPORARY TABLE passing SELECT * FROM author",
  "CREATE /*!50000 TEMPORARY */ TABLE IF NOT EXISTS passing (id INT)",
  "DROP TEMPORARY TABLE IF EXISTS passing",
  "ANALYZE SELECT * FROM author",
  "UNLOCK TABLES",
  "START TRANSACTION WITH NONSENSE",
  "CHECKSUM TABLE author",
  "KILL QUERY 99999999",
  "SELECT * FROM nowhere",
];

for (const type of ["mariadb", "mysql"] as const) {
  describe(`statements that commit by themselves: ${type}`, () => {
    let source: Source;
    before(async () => {
      source = await openSource(type, { options: { extra: { multipleStatements: true } } });
      await source.sql("CREATE TABLE somewhere (id INT)");
      await source.sql("CREATE PROCEDURE commits() BEGIN COMMIT; END");
      await source.sql("CREATE PROCEDURE selects_and_commits() BEGIN SELECT 1 AS one; COMMIT; END");
      await source.sql("CREATE PROCEDURE commits_and_fails() BEGIN COMMIT; SIGNAL SQLSTATE '45000'; END");
    });
    afterEach(async () => {
      await source.sql("DELETE FROM author");
      await source.emptyOutbox();
    });
    after(() => source.close());

    const author = async () => {
      const table = [{ name: "author", key: ["id"] }];
      expect(liveRows(replay(await source.outbox()))).to.deep.equal(await contents(source, table));
      const rows = await source.sql("SELECT email FROM author ORDER BY email");
      return rows.map((row) => String(row["email"]));
    };
    const quietly = (work: Promise<unknown>) => work.catch(() => undefined);
    const inTransaction = async (work: (runner: QueryRunner) => Promise<void>) => {
      const runner = source.dataSource.createQueryRunner();
      try {
        await work(runner);
      } finally {
        await quietly(runner.query("DROP TEMPORARY TABLE IF EXISTS passing"));
        await runner.release();
      }
    };

    for (const statement of committing) {
      it(`${statement}: what was written before stays, what comes after is on its own`, async () => {
        await inTransaction(async (runner) => {
          await runner.startTransaction();
          await runner.manager.insert(source.Author, { email: "a" });
          await quietly(runner.query(statement));
          await runner.manager.insert(source.Author, { email: "b" });
          await runner.rollbackTransaction();
        });
        expect(await author()).to.deep.equal(["a", "b"]);
      });
    }

    for (const statement of staying) {
      it(`${statement}: the transaction goes on, is committed and rolled back as a whole`, async () => {
        for (const ends of ["commitTransaction", "rollbackTransaction"] as const) {
          await inTransaction(async (runner) => {
            await runner.startTransaction();
            await runner.manager.insert(source.Author, { email: `a ${ends}` });
            await runner.startTransaction();
            await runner.manager.insert(source.Author, { email: `b ${ends}` });
            await quietly(runner.query(statement));
            await runner.manager.insert(source.Author, { email: `c ${ends}` });
            await runner.rollbackTransaction();
            await runner.manager.insert(source.Author, { email: `d ${ends}` });
            await quietly(runner.query(statement));
            await runner[ends]();
          });
        }
        expect(await author()).to.deep.equal(["a commitTransaction", "d commitTransaction"]);
        // One transaction is one transaction in the outbox.
        expect(new Set((await source.outbox()).map(({ xid }) => xid)).size).to.equal(1);
      });
    }

    it("ANALYZE UPDATE writes, by hand", async () => {
      await source.dataSource.query("ANALYZE UPDATE author SET name = 'x' WHERE 1 = 0");
      expect(source.capture.blindWrites).to.equal(1);
    });

    it("transaction control hidden behind other statements is refused, before it is sent", async () => {
      for (const sql of [
        "SELECT 1; COMMIT",
        "DO 0; START TRANSACTION",
        "DO 0; DROP TABLE IF EXISTS nowhere",
      ]) {
        await inTransaction(async (runner) => {
          await runner.startTransaction();
          await runner.manager.insert(source.Author, { email: "a" });
          const error: unknown = await runner.query(sql).catch((refused: unknown) => refused);
          expect(isLockstepError(error, "CAPTURE_HIDDEN_COMMIT"), sql).to.equal(true);
          await runner.rollbackTransaction();
        });
      }
      expect(await author()).to.deep.equal([]);
    });

    it("an error behind which the server rolled back: writes sent after it are not lost", async () => {
      await source.dataSource.manager.insert(source.Author, [{ email: "x" }, { email: "y" }]);
      const [one, two] = [source.dataSource.createQueryRunner(), source.dataSource.createQueryRunner()];
      await one.startTransaction();
      await two.startTransaction();
      await one.manager.update(source.Author, { email: "x" }, { counter: 1 });
      await two.manager.update(source.Author, { email: "y" }, { counter: 1 });
      const both = async (runner: QueryRunner, email: string, own: string) => {
        const results = await Promise.allSettled([
          runner.manager.update(source.Author, { email }, { counter: 2 }),
          runner.manager.insert(source.Author, { email: own }),
        ]);
        await quietly(runner.commitTransaction());
        return results.filter(({ status }) => status === "rejected");
      };
      const rejected = await Promise.all([both(one, "y", "one"), both(two, "x", "two")]);
      expect(rejected.flat()).to.have.length(1);
      await Promise.all([one.release(), two.release()]);
      // The writes that the server ran after its roll-back are there, beside all that the other transaction wrote.
      expect(await author()).to.include.members(["x", "y"]);
    });
  });
}

describe("transaction control hidden behind other statements: postgres", () => {
  let source: Source;
  before(async () => {
    source = await openSource("postgres");
  });
  after(() => source.close());

  it("is refused in a transaction, before it is sent", async () => {
    await source.dataSource.transaction(async (manager) => {
      await manager.insert(source.Author, { email: "a" });
      const error: unknown = await manager.query("SELECT 1; COMMIT").catch((refused: unknown) => refused);
      expect(isLockstepError(error, "CAPTURE_HIDDEN_COMMIT")).to.equal(true);
    });
    expect((await source.outbox()).map(({ image }) => image?.[1])).to.deep.equal(["a"]);
  });

  it("goes through outside of one, where it ends what it begins", async () => {
    await source.dataSource.query("BEGIN; SELECT 1; COMMIT");
    await source.dataSource.query("CREATE TABLE made (a int); DO $$ BEGIN PERFORM 1; END $$;");
    const error: unknown = await source.dataSource
      .query("BEGIN; SELECT 1")
      .catch((refused: unknown) => refused);
    expect(isLockstepError(error, "CAPTURE_HIDDEN_COMMIT")).to.equal(true);
  });
});
