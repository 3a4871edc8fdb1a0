import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { type EntityManager, EntitySchema } from "typeorm";
import { type DriverType, openSource, type Source } from "../../support/open-source.js";
import { contents, liveRows, replay } from "../../support/replay.js";

interface Code {
  code: string;
  name?: string;
  email?: string;
}

const codes = new EntitySchema<Code>({
  name: "code",
  columns: {
    code: { type: "varchar", length: 20, primary: true },
    name: { type: "varchar", length: 20, nullable: true },
    email: { type: "varchar", length: 20, nullable: true, unique: true },
  },
});

interface Account {
  id: number;
  email: string;
}

const accounts = new EntitySchema<Account>({
  name: "account",
  columns: { id: { type: "int", primary: true }, email: { type: "varchar", length: 20, unique: true } },
});

const visits = new EntitySchema<{ id: number; account: number }>({
  name: "visit",
  columns: { id: { type: "int", primary: true }, account: { type: "int" } },
  foreignKeys: [
    {
      target: "account",
      columnNames: ["account"],
      referencedColumnNames: ["id"],
      onUpdate: "CASCADE",
      onDelete: "CASCADE",
    },
  ],
});

interface Pair {
  code: string;
  place: number;
  name?: string;
}

const pairs = new EntitySchema<Pair>({
  name: "pair",
  columns: {
    code: { type: "varchar", length: 20, primary: true },
    place: { type: "int", primary: true },
    name: { type: "varchar", length: 20, nullable: true },
  },
});

// To the database these are one key; to a target that compares texts they are several.
const spelt: Readonly<Record<DriverType, readonly string[]>> = {
  mariadb: ["a", "A", "a ", "A  ", "á"],
  mysql: ["a", "A", "a ", "A  ", "á"],
  postgres: ["a", "A", "aB", "Ab"],
};

for (const type of ["mariadb", "mysql", "postgres"] as const satisfies readonly DriverType[]) {
  describe(`keys that the database takes for the same: ${type}`, () => {
    let source: Source;
    before(async () => {
      source = await openSource(type, {
        options: { entities: [codes, accounts, pairs, visits], synchronize: type !== "postgres" },
      });
      if (type !== "postgres") return;
      await source.sql(
        "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
      );
      await source.sql(
        "CREATE TABLE code (code varchar(20) COLLATE folded PRIMARY KEY, name varchar(20), email varchar(20) UNIQUE)",
      );
      await source.sql("CREATE TABLE account (id int PRIMARY KEY, email varchar(20) COLLATE folded UNIQUE)");
      await source.sql(
        "CREATE TABLE visit (id int PRIMARY KEY, account int REFERENCES account (id) ON UPDATE CASCADE ON DELETE CASCADE)",
      );
      await source.sql(
        "CREATE TABLE pair (code varchar(20) COLLATE folded, place int, name varchar(20), PRIMARY KEY (code, place))",
      );
      await source.reinstall();
    });
    afterEach(async () => {
      for (const table of ["code", "visit", "account", "pair"]) await source.sql(`DELETE FROM ${table}`);
      await source.emptyOutbox();
    });
    after(() => source.close());

    const same = async () => {
      const tables = [
        { name: "code", key: ["code"] },
        { name: "account", key: ["id"] },
        { name: "visit", key: ["id"] },
        { name: "pair", key: ["code", "place"] },
      ];
      expect(liveRows(replay(await source.outbox()))).to.deep.equal(await contents(source, tables));
    };

    const writes: Readonly<Record<string, (manager: EntityManager, code: string) => Promise<unknown>>> = {
      "an update of the key": (m, code) => m.update(codes, { code: "a" }, { code }),
      "an update of another column": (m, code) => m.update(codes, { code }, { name: "n" }),
      "a save": (m, code) => m.save(codes, { code, name: "n" }),
      "an upsert": (m, code) => m.upsert(codes, { code, name: "n" }, ["code"]),
      "an upsert of several": (m, code) =>
        m.upsert(
          codes,
          [
            { code, name: "n" },
            { code: "other", name: "n" },
            { code: "b", name: "n" },
          ],
          ["code"],
        ),
      "an upsert by another unique key": (m, code) => m.upsert(codes, { code, email: "e" }, ["email"]),
      "insert or ignore": (m, code) =>
        m
          .createQueryBuilder()
          .insert()
          .into(codes)
          .values({ code, name: "n" })
          .orIgnore()
          .updateEntity(false)
          .execute(),
      "a delete": (m, code) => m.delete(codes, { code }),
      "a delete and an insert": (m, code) =>
        m.transaction(async (tx) => {
          await tx.delete(codes, { code: "a" });
          await tx.insert(codes, { code, name: "n" });
        }),
      "an insert, a rename and a delete": (m, code) =>
        m.transaction(async (tx) => {
          await tx.upsert(codes, { code, name: "n" }, ["code"]);
          await tx.update(codes, { code }, { code: "a" });
          await tx.delete(codes, { code });
        }),
      "an upsert of a composite key": (m, code) =>
        m.upsert(pairs, { code, place: 1, name: "n" }, ["code", "place"]),
    };

    for (const [name, write] of Object.entries(writes)) {
      for (const code of spelt[type]) {
        it(`${name}, where 'a' is there: ${JSON.stringify(code)}`, async () => {
          await source.dataSource.manager.insert(codes, [{ code: "a", email: "e" }, { code: "b" }]);
          await source.dataSource.manager.insert(pairs, { code: "a", place: 1 });
          // Refused by the unique key, or by TypeORM's reading back what was ignored: nothing is written then.
          await write(source.dataSource.manager, code).catch(() => undefined);
          await same();
        });
      }
    }

    it("an upsert by a unique key that overwrites the primary key", async () => {
      const { manager } = source.dataSource;
      await manager.insert(accounts, [
        { id: 1, email: "a" },
        { id: 2, email: "b" },
      ]);
      await manager.upsert(accounts, { id: 7, email: "a" }, ["email"]);
      await manager.upsert(
        accounts,
        [
          { id: 8, email: "B" },
          { id: 9, email: "c" },
        ],
        ["email"],
      );
      await same();
      expect(
        (await source.sql("SELECT id FROM account ORDER BY id")).map(({ id }) => Number(id)),
      ).to.deep.equal([7, 8, 9]);
    });

    it("an upsert of several where some rows stay as they are", async () => {
      const { manager } = source.dataSource;
      await manager.insert(accounts, { id: 1, email: "a" });
      const sets = [
        { id: 1, email: "a" },
        { id: 2, email: "b" },
      ];
      // Skips what is the same: PostgreSQL only.
      const skipUpdateIfNoValuesChanged = type === "postgres";
      await manager.upsert(accounts, sets, { conflictPaths: ["email"], skipUpdateIfNoValuesChanged });
      await same();
    });

    it("an upsert whose new key foreign keys follow", async () => {
      const { manager } = source.dataSource;
      await manager.insert(accounts, { id: 1, email: "a" });
      await manager.insert(visits, [
        { id: 1, account: 1 },
        { id: 2, account: 1 },
      ]);
      await manager.upsert(accounts, { id: 5, email: "a" }, ["email"]);
      await same();
      expect(
        (await source.sql("SELECT account FROM visit")).map(({ account }) => Number(account)),
      ).to.deep.equal([5, 5]);
    });

    it("an upsert that overwrites keys by an expression is refused", async () => {
      const { manager } = source.dataSource;
      await manager.insert(accounts, { id: 1, email: "a" });
      const error: unknown = await manager
        .createQueryBuilder()
        .insert()
        .into(accounts)
        .values({ id: 5, email: () => "LOWER('A')" })
        .orUpdate(["id"], ["email"])
        .execute()
        .catch((refused: unknown) => refused);
      expect(isLockstepError(error, "CAPTURE_BLIND_WRITE")).to.equal(true);
      await same();
    });
  });
}
