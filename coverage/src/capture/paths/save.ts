import { type Family, posts } from "./write-path.js";

/** `save()` and what it can be told. */
export const save: Family = {
  title: "save",
  paths: [
    { name: "save of a new entity", write: ({ entities }, m) => m.save(entities.Author, { email: "new" }) },
    {
      name: "repository.save of an entity made by create()",
      write({ entities }, m) {
        const repository = m.getRepository(entities.Author);
        return repository.save(repository.create({ email: "made" }));
      },
    },
    {
      name: "save of a loaded entity",
      async write({ entities }, m) {
        const author = await m.findOneByOrFail(entities.Author, { id: 1 });
        author.name = "changed";
        await m.save(author);
      },
    },
    {
      name: "save of a partial entity (TypeORM's object has invented NULLs)",
      write: ({ entities }, m) => m.save(entities.Author, { id: 1, name: "partial" }),
    },
    {
      name: "save of the same instance twice (TypeORM nulls a `select: false` column)",
      async write({ entities }, m) {
        const author = await m.save(m.create(entities.Author, { email: "twice", secret: "kept?" }));
        author.name = "second";
        await m.save(author);
      },
    },
    {
      name: "save by preload()",
      async write({ entities }, m) {
        const author = await m.preload(entities.Author, { id: 2, name: "preloaded" });
        await m.save(author);
      },
    },
    {
      name: "save that changes nothing",
      changesNothing: true,
      async write({ entities }, m) {
        await m.save(await m.findOneByOrFail(entities.Author, { id: 1 }));
      },
    },
    {
      name: "save of an array: inserts and updates",
      write: ({ entities }, m) =>
        m.save(entities.Author, [
          { id: 1, name: "m" },
          { email: "a1" },
          { id: 2, name: "n" },
          { email: "a2" },
        ]),
    },
    {
      name: "save of an array of several entities",
      write: ({ entities: { Author, Tag } }, m) =>
        m.save([m.create(Author, { email: "mixed" }), m.create(Tag, { slug: "mixed", label: "M" })]),
    },
    {
      name: "save with `chunk`",
      write: ({ entities }, m) =>
        m.save(
          entities.Author,
          ["c1", "c2", "c3", "c4", "c5"].map((email) => ({ email })),
          { chunk: 2 },
        ),
    },
    {
      name: "save with `reload: false`",
      write: ({ entities }, m) => m.save(entities.Author, { email: "blind" }, { reload: false }),
    },
    {
      name: "save with `listeners: false`",
      write: ({ entities }, m) => m.save(entities.Author, { id: 1, name: "silent" }, { listeners: false }),
    },
    {
      name: "save with `transaction: false`",
      write: ({ entities }, m) =>
        m.save(entities.Author, [{ email: "bare" }, { id: 1, name: "bare" }], { transaction: false }),
    },
    {
      name: "save with `transaction: false` whose second row fails",
      ownTransaction: true,
      async write({ entities }, m) {
        const rows = [{ email: "stays" }, { id: 2, email: "zoe@x" }];
        await m.save(entities.Author, rows, { transaction: false }).then(
          () => Promise.reject(new Error("was to fail")),
          () => undefined,
        );
      },
    },
    {
      name: "save with `data` (TypeORM swaps queryRunner.data)",
      write: ({ entities }, m) => m.save(entities.Author, { email: "data" }, { data: { by: "test" } }),
    },
    {
      name: "save of a given key that is new",
      write: ({ entities }, m) => m.save(entities.Author, { id: 500, email: "given" }),
    },
    {
      name: "save of version, create, update and delete dates",
      async write({ entities }, m) {
        const post = await m.save(m.create(entities.Post, { title: "dated" }));
        post.title = "dated again";
        await m.save(post);
        await m.save(entities.Post, { id: posts.first, deletedAt: new Date(0) });
      },
    },
    {
      name: "save of transformers, simple-array, simple-json, generated column, `update: false`, `insert: false`",
      write: ({ entities }, m) =>
        m.save(entities.Item, [
          { code: "mixed Case", labels: ["p", "q"], doc: { deep: ["ü"] }, price: 7, frozen: "f", late: "l" },
          { id: "1", code: "again", price: 8, frozen: "ignored", late: "now" },
        ]),
    },
    {
      name: "save of a column that a trigger sets (the entity object is stale)",
      write: ({ entities }, m) => m.save(entities.Item, { id: "2", price: 5, stamp: "by the application" }),
    },
    {
      name: "save by active record: save, insert, update, remove",
      ownTransaction: true,
      async write({ entities: { Active } }) {
        const made = await Active.create({ name: "active" }).save();
        await Active.insert({ name: "inserted" });
        await Active.update({ id: 1 }, { name: "updated" });
        await made.remove();
      },
    },
    {
      name: "save of an EntitySchema's plain objects",
      write: ({ entities }, m) =>
        m.save(entities.Plain, [
          { code: "p", label: "PP" },
          { code: "r", label: "R" },
        ]),
    },
    {
      name: "save in another schema",
      write: ({ entities }, m) => m.save(entities.Elsewhere, [{ id: 1, name: "near" }, { name: "new" }]),
    },
    {
      name: "save of one row several times in one transaction",
      write: ({ entities: { Author } }, m) =>
        m.transaction(async (tx) => {
          const made = await tx.save(Author, { email: "thrice" });
          await tx.update(Author, made.id, { name: "twice" });
          await tx.delete(Author, made.id);
          await tx.save(Author, { id: made.id, email: "thrice" });
        }),
    },
  ],
};
