import { either, type Family, failing, only, since } from "./write-path.js";

const noUpdateReturning = "no RETURNING for INSERT here";

/** INSERT by repository, manager and query builder. */
export const insert: Family = {
  title: "insert",
  paths: [
    { name: "insert of one row", write: ({ entities }, m) => m.insert(entities.Author, { email: "i1" }) },
    {
      name: "repository.insert of several rows",
      write: ({ entities }, m) =>
        m.getRepository(entities.Author).insert([{ email: "i1" }, { email: "i2" }, { email: "i3" }]),
    },
    {
      name: "insert of given and generated keys together",
      write: ({ entities }, m) => m.insert(entities.Author, [{ id: 501, email: "given" }, { email: "made" }]),
    },
    {
      name: "insert of an empty list",
      changesNothing: true,
      write: ({ entities }, m) => m.insert(entities.Author, []),
    },
    {
      name: "insert of nothing but defaults",
      missing: either(({ driver }) =>
        driver === "mysql" ? "refused: see the key that a default makes" : undefined,
      ),
      write: ({ entities }, m) => m.insert(entities.Reading, { value: 3 }),
    },
    {
      name: "insert of a key that a default makes, type mysql",
      missing: only(["mysql"], "see the row above"),
      write: ({ entities }, m) => m.insert(entities.Reading, { value: 3 }),
    },
    {
      name: "insert with SQL expressions",
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .insert()
          .into(entities.Author)
          .values({ email: () => "concat('ex', 'pr')", counter: () => "1 + 1" })
          .execute(),
    },
    {
      name: "insert of a key that is an SQL expression",
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .insert()
          .into(entities.Tag)
          .values({ slug: () => "concat('sl', 'ug')", label: "L" })
          .execute(),
    },
    {
      name: "insert with `callListeners(false)` and `updateEntity(false)`",
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .insert()
          .into(entities.Author)
          .values([{ email: "q1" }, { email: "q2" }])
          .callListeners(false)
          .updateEntity(false)
          .execute(),
    },
    {
      name: "insert with `useTransaction(true)`",
      ownTransaction: true,
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .insert()
          .into(entities.Author)
          .values({ email: "qt" })
          .useTransaction(true)
          .execute(),
    },
    {
      name: "insert into a table by its name",
      write: (_, m) =>
        m
          .createQueryBuilder()
          .insert()
          .into("tag", ["slug", "label"])
          .values({ slug: "n", label: "N" })
          .execute(),
    },
    {
      name: "insert with `returning`",
      missing: only(["postgres", "mariadb"], noUpdateReturning),
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .insert()
          .into(entities.Author)
          .values({ email: "r" })
          .returning(["email", "counter"])
          .execute(),
    },
    {
      name: 'insert with `returning("*")`',
      missing: only(["postgres", "mariadb"], noUpdateReturning),
      write: ({ entities }, m) =>
        m.createQueryBuilder().insert().into(entities.Author).values({ email: "r" }).returning("*").execute(),
    },
    {
      name: "insert with `orIgnore`, a conflict among new rows",
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .insert()
          .into(entities.Author)
          .values([{ email: "o1" }, { email: "zoe@x" }, { email: "o2" }])
          .orIgnore()
          .updateEntity(false)
          .execute(),
    },
    {
      name: "insert with `orIgnore` where all conflict",
      changesNothing: true,
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .insert()
          .into(entities.Author)
          .values([{ email: "zoe@x" }])
          .orIgnore()
          .updateEntity(false)
          .execute(),
    },
    {
      name: "insert that fails and is caught",
      changesNothing: true,
      write: ({ entities }, m) =>
        m.transaction((tx) =>
          failing(() =>
            tx.transaction((inner) => inner.insert(entities.Author, [{ email: "ok" }, { email: "zoe@x" }])),
          ),
        ),
    },
    {
      name: "insert from a select (valuesFromSelect)",
      missing: since("1.1.1"),
      write({ entities: { Tag } }, m) {
        const from = m
          .createQueryBuilder()
          .select("concat('copy ', tag.slug)", "a")
          .addSelect("concat(tag.label, '')", "b")
          .from(Tag, "tag");
        return m.createQueryBuilder().insert().into(Tag, ["slug", "label"]).valuesFromSelect(from).execute();
      },
    },
    {
      name: "insert with a common table expression",
      missing: only(["postgres"], "the database has no CTE before INSERT"),
      write: ({ entities: { Tag } }, m) =>
        m
          .createQueryBuilder()
          .insert()
          .addCommonTableExpression("SELECT 'from cte' AS label", "c")
          .into(Tag)
          .values({ slug: "cte", label: () => "(SELECT label FROM c)" })
          .execute(),
    },
    {
      name: "insert of microseconds and of numbers beyond 2^53 as keys",
      async write({ entities: { Reading, Line } }, m) {
        await m.insert(Reading, { at: "2021-01-01 00:00:00.000003" as never, value: 1 });
        await m.insert(Line, { orderNo: "9007199254740995", sku: "big", quantity: 1 });
      },
    },
    {
      name: "insert of embedded columns, quoted names, an embedded key",
      async write({ entities: { Odd, Depot } }, m) {
        await m.insert(Odd, { theKey: "n'\"`\\", inner: { street: "s", geo: { city: "c", zip: null } } });
        await m.insert(Depot, { place: { country: "it", code: "1" }, capacity: 3 });
      },
    },
    {
      name: "insert of a single-table child",
      write: ({ entities: { Cat, Dog } }, m) =>
        m.transaction(async (tx) => {
          await tx.insert(Cat, { name: "new cat", lives: 9 });
          await tx.insert(Dog, { name: "new dog", breed: "b" });
        }),
    },
  ],
};
