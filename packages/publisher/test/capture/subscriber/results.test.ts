import { expect } from "chai";
import type { DataSource, EntityManager } from "typeorm";
import { type DriverType, openSource, type Source } from "../../support/open-source.js";
import { typeOrmVersions } from "../../support/typeorm-versions.js";

type Run = (source: Source, manager: EntityManager) => Promise<unknown>;

/** Writes whose results the application reads. */
const results: Readonly<Record<string, Run>> = {
  "insert of several rows": (s, m) => m.insert(s.Author, [{ email: "a" }, { email: "b" }]),
  "insert without generated columns": (s, m) =>
    m.insert(s.Tag, [
      { slug: "a", label: "A" },
      { slug: "b", label: "B" },
    ]),
  "insert that doesn't update the entity": (s, m) =>
    m.createQueryBuilder().insert().into(s.Author).values({ email: "c" }).updateEntity(false).execute(),
  upsert: (s, m) => m.upsert(s.Author, [{ email: "a", name: "n" }, { email: "d" }], ["email"]),
  "upsert without generated columns": (s, m) =>
    m.upsert(
      s.Tag,
      [
        { slug: "a", label: "AA" },
        { slug: "c", label: "C" },
      ],
      ["slug"],
    ),
  "insert that ignores": (s, m) =>
    m.createQueryBuilder().insert().into(s.Tag).values({ slug: "a", label: "x" }).orIgnore().execute(),
  save: async (s, m) => entityOf(await m.save(s.Author, { email: "e", counter: 3 })),
  "save of a versioned entity": async (s, m) => {
    const post = await m.save(s.Post, { id: "11111111-1111-1111-1111-111111111111", title: "t" });
    post.title = "u";
    const { version, title } = await m.save(s.Post, post);
    return { version, title };
  },
  "update by key": (s, m) => m.update(s.Author, 1, { name: "x" }),
  "update by criteria": (s, m) => m.update(s.Author, { email: "b" }, { name: "x" }),
  "update of none": (s, m) => m.update(s.Author, { email: "nobody" }, { name: "x" }),
  "update of a key": (s, m) => m.update(s.Tag, { slug: "b" }, { slug: "bb" }),
  increment: (s, m) => m.increment(s.Author, { id: 1 }, "counter", 1),
  softDelete: (s, m) => m.softDelete(s.Post, { title: "u" }),
  restore: (s, m) => m.restore(s.Post, { title: "u" }),
  "delete by key": (s, m) => m.delete(s.Author, 1),
  "delete by criteria": (s, m) => m.delete(s.Tag, { slug: "a" }),
  "delete of none": (s, m) => m.delete(s.Tag, { slug: "nobody" }),
};

const returning: Readonly<Record<string, Run>> = {
  "insert returning": (s, m) =>
    m
      .createQueryBuilder()
      .insert()
      .into(s.Author)
      .values({ email: "r" })
      .returning(["email", "counter"])
      .execute(),
  "insert returning text": (s, m) =>
    m.createQueryBuilder().insert().into(s.Author).values({ email: "rt" }).returning("*").execute(),
  "delete returning": (s, m) =>
    m.createQueryBuilder().delete().from(s.Author).where("email = 'r'").returning("email").execute(),
};

const updateReturning: Readonly<Record<string, Run>> = {
  "update returning": (s, m) =>
    m
      .createQueryBuilder()
      .update(s.Author)
      .set({ name: "y" })
      .where("email = 'b'")
      .returning(["id", "name"])
      .execute(),
  "update returning an alias": (s, m) =>
    m
      .createQueryBuilder()
      .update(s.Author)
      .set({ name: "z" })
      .where("email = 'b'")
      .returning("name AS it")
      .execute(),
};

for (const version of Object.keys(typeOrmVersions)) {
  for (const type of ["postgres", "mariadb", "mysql"] as const satisfies readonly DriverType[]) {
    describe(`results that the application gets: typeorm ${version} on ${type}`, () => {
      let plain: Source | undefined;
      let captured: Source | undefined;

      before(async () => {
        plain = await openSource(type, { version });
        captured = await openSource(type, { version });
        plain.capture.uninstall();
      });
      after(() => Promise.all([plain?.close(), captured?.close()]));

      const cases = {
        ...results,
        ...(type !== "mysql" && returning),
        ...(type === "postgres" && updateReturning),
      };
      for (const [name, run] of Object.entries(cases)) {
        it(`${name}: the same as without capture`, async () => {
          const without = await run(plain!, managerOf(plain!.dataSource));
          const within = await run(captured!, managerOf(captured!.dataSource));
          expect(comparable(within)).to.deep.equal(comparable(without));
        });
      }
    });
  }
}

function managerOf(dataSource: DataSource): EntityManager {
  return dataSource.manager;
}

function entityOf(entity: object): object {
  return { ...entity };
}

// Times differ between two runs; the status bits say whether a transaction is open, and a RETURNING answers no warnings.
function comparable(result: unknown): unknown {
  return JSON.parse(
    JSON.stringify(result, (name, value: unknown) =>
      name.endsWith("At")
        ? "a time"
        : name === "info" || name === "serverStatus" || name === "warningStatus"
          ? ""
          : value,
    ),
  );
}
