import { either, type Family, only, since, posts } from "./write-path.js";

/** UPDATE by repository, manager and query builder. */
export const update: Family = {
  title: "update",
  paths: [
    { name: "update by key", write: ({ entities }, m) => m.update(entities.Author, 1, { name: "k" }) },
    {
      name: "update by keys",
      write: ({ entities }, m) => m.update(entities.Author, [1, 2, 900], { name: "k" }),
    },
    {
      name: "repository.update by criteria",
      write: ({ entities }, m) => m.getRepository(entities.Author).update({ name: "Xia" }, { name: "c" }),
    },
    {
      name: "update by find operators",
      write: ({ entities, orm: { In, MoreThan } }, m) =>
        m.update(
          entities.Author,
          { email: In(["zoe@x", "yan@x", "xia@x"]), counter: MoreThan(1) },
          { name: "ops" },
        ),
    },
    {
      name: "update of no row",
      changesNothing: true,
      write: ({ entities }, m) => m.update(entities.Author, 900, { name: "nobody" }),
    },
    {
      name: "update to what is there",
      changesNothing: true,
      write: ({ entities }, m) => m.update(entities.Author, 1, { name: "Zoe" }),
    },
    {
      name: "updateAll",
      missing: since("0.3.31"),
      write: ({ entities }, m) => m.updateAll(entities.Tag, { label: "all" }),
    },
    {
      name: "update of every row by query builder",
      write: ({ entities }, m) => m.createQueryBuilder().update(entities.Tag).set({ label: "all" }).execute(),
    },
    {
      name: "update with an alias and `andWhere`, `orWhere`",
      write: ({ entities }, m) =>
        m
          .createQueryBuilder(entities.Author, "a")
          .update()
          .set({ name: "q" })
          .where("counter > :n", { n: 1 })
          .andWhere("name IS NULL")
          .orWhere("email = :e", { e: "zoe@x" })
          .execute(),
    },
    {
      name: "update with SQL expressions",
      write: ({ entities }, m) =>
        m.update(
          entities.Author,
          { id: 1 },
          { counter: () => "counter + 5", name: () => "concat(email, '!')" },
        ),
    },
    { name: "increment", write: ({ entities }, m) => m.increment(entities.Author, { id: 1 }, "counter", 2) },
    {
      name: "repository.decrement by criteria",
      write: ({ entities, orm }, m) =>
        m.getRepository(entities.Author).decrement({ counter: orm.MoreThan(1) }, "counter", 1),
    },
    {
      name: "update with `whereInIds` and `whereEntity`",
      async write({ entities }, m) {
        const author = await m.findOneByOrFail(entities.Author, { id: 3 });
        await m.createQueryBuilder().update(entities.Author).set({ name: "w" }).whereInIds([1, 2]).execute();
        await m.createQueryBuilder().update(entities.Author).set({ name: "w" }).whereEntity(author).execute();
      },
    },
    {
      name: "update with a subquery",
      write: ({ entities: { Author, Post } }, m) => {
        const builder = m.createQueryBuilder().update(Author).set({ name: "sub" });
        const ids = m.createQueryBuilder().select("p.authorId").from(Post, "p").where("p.title = 'p1'");
        return builder.where(`id IN (${ids.getQuery()})`).execute();
      },
    },
    {
      name: "update with a subquery on the rows it changes",
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .update(entities.Author)
          .set({ counter: 99 })
          .where("counter < (SELECT n FROM (SELECT max(counter) AS n FROM author) AS t)")
          .execute(),
    },
    {
      name: "update whose WHERE no longer holds afterwards",
      write: ({ entities }, m) => m.update(entities.Author, { counter: 1 }, { counter: 2 }),
    },
    {
      name: "update with LIMIT",
      missing: only(["mariadb", "mysql"], "not in PostgreSQL"),
      write: ({ entities }, m) =>
        m.createQueryBuilder().update(entities.Author).set({ name: "lim" }).limit(2).execute(),
    },
    {
      name: "update with ORDER BY and LIMIT",
      missing: only(["mariadb", "mysql"], "not in PostgreSQL"),
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .update(entities.Author)
          .set({ name: "lim" })
          .orderBy("counter", "DESC")
          .limit(2)
          .execute(),
    },
    {
      name: "update whose WHERE is different each time it is asked",
      async write({ entities, driver }, m) {
        await m.insert(
          entities.Tag,
          Array.from({ length: 64 }, (_, n) => ({ slug: `r${n}`, label: "r" })),
        );
        const random = driver === "postgres" ? "random()" : "rand()";
        await m
          .createQueryBuilder()
          .update(entities.Tag)
          .set({ label: "hit" })
          .where(`${random} < 0.5`)
          .execute();
      },
    },
    {
      name: "update with `returning`",
      missing: only(["postgres"], "no UPDATE … RETURNING here"),
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .update(entities.Author)
          .set({ name: "r" })
          .where("id < 3")
          .returning(["id", "name"])
          .execute(),
    },
    {
      name: "update with `returning` of an expression",
      missing: only(["postgres"], "no UPDATE … RETURNING here"),
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .update(entities.Author)
          .set({ name: "r" })
          .where("id < 3")
          .returning("name AS id")
          .execute(),
    },
    {
      name: "manager.update with `returning`",
      missing: either(since("0.3.31"), only(["postgres"], "no UPDATE … RETURNING here")),
      write: ({ entities }, m) => m.update(entities.Author, { id: 1 }, { name: "r" }, { returning: "*" }),
    },
    {
      name: "update with a common table expression",
      missing: only(["postgres"], "the database has no CTE before UPDATE"),
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .update(entities.Author)
          .addCommonTableExpression("SELECT 1 AS id", "c")
          .set({ name: "cte" })
          .where("id IN (SELECT id FROM c)")
          .execute(),
    },
    {
      name: "update with a common table expression that writes",
      missing: only(["postgres"], "the database has no CTE before UPDATE"),
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .update(entities.Author)
          .addCommonTableExpression("UPDATE tag SET label = 'by cte' RETURNING slug", "c")
          .set({ name: "cte" })
          .where("id = 1")
          .execute(),
    },
    {
      name: "update with a common table expression that writes, by key",
      missing: only(["postgres"], "the database has no CTE before UPDATE"),
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .update(entities.Author)
          .addCommonTableExpression("UPDATE tag SET label = 'by cte' RETURNING slug", "c")
          .set({ name: "cte" })
          .where("id = :id", { id: 1 })
          .execute(),
    },
    {
      name: "update of a relation and of a composite key's row",
      async write({ entities: { Post, Line } }, m) {
        await m.update(Post, posts.first, { author: { id: 2 } });
        await m.update(Line, { orderNo: 1, sku: "b" }, { quantity: 5 });
      },
    },
    {
      name: "update of embedded columns and quoted names",
      async write({ entities: { Odd, Depot } }, m) {
        await m.update(Odd, { theKey: "k 'k\"" }, { inner: { street: "new", geo: { zip: "1" } } });
        await m.update(Depot, { place: { country: "fr", code: "1" } }, { capacity: 9 });
      },
    },
    {
      name: "update of a single-table child, of its root",
      async write({ entities: { Cat, Animal } }, m) {
        await m.update(Cat, { name: "tom" }, { lives: 8 });
        await m.update(Animal, { id: 2 }, { name: "max" });
      },
    },
    {
      name: "update of rows of another schema",
      write: ({ entities }, m) => m.update(entities.Elsewhere, { name: "far" }, { name: "near" }),
    },
    ...keyChanges(),
  ],
};

function keyChanges(): Family["paths"] {
  return [
    {
      name: "update that names the key it has",
      write: ({ entities }, m) => m.update(entities.Author, { id: 1 }, { id: 1, name: "same" }),
    },
    {
      name: "update that changes a key",
      write: ({ entities }, m) => m.update(entities.Tag, { slug: "z" }, { slug: "zz" }),
    },
    {
      name: "update that changes part of a composite key",
      write: ({ entities }, m) => m.update(entities.Line, { orderNo: 1, sku: "b" }, { sku: "bb" }),
    },
    {
      name: "update that changes the keys of several rows",
      write: ({ entities }, m) =>
        m.update(entities.Depot, { capacity: 2 }, { place: { country: "ch", code: "9" } }),
    },
    {
      name: "update that computes keys",
      write: ({ entities, driver }, m) =>
        m
          .createQueryBuilder()
          .update(entities.Line)
          .set({ orderNo: () => (driver === "postgres" ? '"orderNo" + 1' : "orderNo + 1") })
          .where("sku = 'b'")
          .execute(),
    },
    {
      name: "two rows swap their keys",
      write: ({ entities: { Plain } }, m) =>
        m.transaction(async (tx) => {
          await tx.update(Plain, { code: "p" }, { code: "between" });
          await tx.update(Plain, { code: "q" }, { code: "p" });
          await tx.update(Plain, { code: "between" }, { code: "q" });
        }),
    },
  ];
}
