import { either, type Family, only, posts, since } from "./write-path.js";

/** DELETE, and the soft one. */
export const deletion: Family = {
  title: "delete, remove, softDelete, restore",
  paths: [
    { name: "delete by key", write: ({ entities }, m) => m.delete(entities.Author, 4) },
    { name: "delete by keys", write: ({ entities }, m) => m.delete(entities.Author, [3, 4, 900]) },
    {
      name: "repository.delete by criteria",
      write: ({ entities, orm }, m) => m.getRepository(entities.Author).delete({ counter: orm.MoreThan(2) }),
    },
    {
      name: "delete of no row",
      changesNothing: true,
      write: ({ entities }, m) => m.delete(entities.Author, { email: "nobody" }),
    },
    {
      name: "deleteAll",
      missing: since("0.3.31"),
      write: ({ entities }, m) => m.deleteAll(entities.Line),
    },
    {
      name: "delete of every row by query builder",
      write: ({ entities }, m) => m.createQueryBuilder().delete().from(entities.Reading).execute(),
    },
    {
      name: "delete with a subquery",
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .delete()
          .from(entities.Plain)
          .where("code NOT IN (SELECT t.code FROM (SELECT 'p' AS code) AS t)")
          .execute(),
    },
    {
      name: "delete whose WHERE is different each time it is asked",
      async write({ entities, driver }, m) {
        await m.insert(
          entities.Plain,
          Array.from({ length: 64 }, (_, n) => ({ code: `r${n}`, label: "r" })),
        );
        const random = driver === "postgres" ? "random()" : "rand()";
        await m.createQueryBuilder().delete().from(entities.Plain).where(`${random} < 0.5`).execute();
      },
    },
    {
      name: "delete with `returning`",
      missing: only(["postgres", "mariadb"], "no DELETE … RETURNING here"),
      write: ({ entities }, m) =>
        m.createQueryBuilder().delete().from(entities.Author).where("id > 2").returning("email").execute(),
    },
    {
      name: "delete of composite, embedded and microsecond keys",
      async write({ entities: { Line, Depot, Reading } }, m) {
        await m.delete(Line, { orderNo: 1, sku: "b" });
        await m.delete(Depot, { place: { country: "de", code: "1" } });
        await m.delete(Reading, { value: 2 });
      },
    },
    {
      name: "delete of a single-table child by criteria",
      write: ({ entities }, m) => m.delete(entities.Cat, { name: "kit" }),
    },
    {
      name: "remove of an entity with join rows",
      async write({ entities }, m) {
        const post = await m.findOneByOrFail(entities.Post, { id: posts.second });
        await m.remove(post);
      },
    },
    {
      name: "remove of an array, with `chunk`",
      async write({ entities, orm }, m) {
        const authors = await m.findBy(entities.Author, { id: orm.In([3, 4]) });
        await m.getRepository(entities.Author).remove(authors, { chunk: 1 });
      },
    },
    {
      name: "remove with `listeners: false` and `transaction: false`",
      async write({ entities }, m) {
        const author = await m.findOneByOrFail(entities.Author, { id: 4 });
        await m.remove(author, { listeners: false, transaction: false });
      },
    },
    {
      name: "softDelete by key and by criteria",
      async write({ entities: { Post } }, m) {
        await m.softDelete(Post, posts.first);
        await m.getRepository(Post).softDelete({ title: "p2" });
      },
    },
    {
      name: "softDelete of what is deleted already",
      // Up to 0.3 TypeORM sets the date anew.
      changesNothing: true,
      missing: ({ version }) => (version < "1" ? "TypeORM deletes it again" : undefined),
      write: ({ entities }, m) => m.softDelete(entities.Post, posts.deleted),
    },
    {
      name: "softDelete by query builder",
      write: ({ entities }, m) =>
        m.createQueryBuilder().softDelete().from(entities.Post).where("title LIKE 'p%'").execute(),
    },
    {
      name: "restore by key and by criteria",
      async write({ entities: { Post, Comment } }, m) {
        await m.restore(Post, posts.deleted);
        await m.getRepository(Comment).restore({ body: "three" });
      },
    },
    {
      name: "restore by query builder",
      write: ({ entities }, m) => m.createQueryBuilder().restore().from(entities.Post).execute(),
    },
    {
      name: "softRemove and recover of an entity",
      async write({ entities: { Post } }, m) {
        await m.softRemove(await m.findOneByOrFail(Post, { id: posts.first }));
        await m.recover(await m.findOneOrFail(Post, { where: { id: posts.deleted }, withDeleted: true }));
      },
    },
    {
      name: "softDelete with `returning`",
      missing: either(only(["postgres"], "no UPDATE … RETURNING here")),
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .softDelete()
          .from(entities.Post)
          .where("title = 'p1'")
          .returning("*")
          .execute(),
    },
  ],
};
