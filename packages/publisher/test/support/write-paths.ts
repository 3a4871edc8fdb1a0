import type { DeepPartial, EntityManager } from "typeorm";
import type { Source } from "./open-source.js";

/** One way to write through TypeORM. */
export interface WritePath {
  readonly name: string;
  /** More rows than changed may be noted: those that type `mysql` can't tell apart. */
  readonly mayNoteMore?: boolean;
  /** Refused with CAPTURE_BLIND_WRITE on type `mysql`. */
  readonly refusedOnMysql?: boolean;
  /** Refused on MariaDB too. */
  readonly refusedOnMariaDb?: boolean;
  readonly since?: "1.0.0";
  run(source: Source, manager: EntityManager): Promise<unknown>;
}

/** The ways to write that capture must see, in an order in which each finds the rows it needs. */
export const writePaths: readonly WritePath[] = [
  {
    name: "save of a new entity with cascades and join rows",
    run: (s, m) =>
      m.save(s.Author, {
        email: "a",
        posts: [
          {
            title: "p1",
            tags: [
              { slug: "x", label: "X" },
              { slug: "y", label: "Y" },
            ],
          },
          { title: "p2" },
        ],
      } as DeepPartial<InstanceType<typeof s.Author>>),
  },
  {
    name: "save without reload",
    run: (s, m) => m.save(s.Author, { email: "noreload" }, { reload: false }),
  },
  { name: "save of a partial entity", run: (s, m) => m.save(s.Author, { id: 1, name: "n" }) },
  {
    name: "save of an array, inserts and updates",
    run: (s, m) => m.save(s.Author, [{ id: 1, name: "m" }, { email: "arr1" }, { email: "arr2" }]),
  },
  {
    name: "save in chunks",
    run: (s, m) =>
      m.save(
        s.Author,
        ["c1", "c2", "c3"].map((email) => ({ email })),
        { chunk: 2 },
      ),
  },
  {
    name: "save outside a transaction",
    run: (s, m) => m.save(s.Author, { email: "bare" }, { transaction: false }),
  },
  {
    name: "save without listeners",
    run: (s, m) => m.save(s.Author, { email: "silent" }, { listeners: false }),
  },
  {
    name: "save of a composite key",
    run: (s, m) =>
      m.save(s.Line, [
        { orderNo: 1, sku: "a", quantity: 1 },
        { orderNo: 1, sku: "b", quantity: 2 },
      ]),
  },
  { name: "save of a single-table child", run: (s, m) => m.save(s.Cat, { name: "tom", lives: 9 }) },
  {
    name: "save of odd names and embedded columns",
    run: (s, m) => m.save(s.Odd, { theKey: "k 'k\"", inner: { street: "é" } }),
  },
  { name: "insert of one row", run: (s, m) => m.insert(s.Author, { email: "b" }) },
  {
    name: "insert of several rows",
    run: (s, m) => m.insert(s.Author, [{ email: "d" }, { email: "e" }, { email: "f" }]),
  },
  { name: "insert with a given key", run: (s, m) => m.insert(s.Author, { id: 500, email: "given" }) },
  {
    name: "insert of given and generated keys together",
    run: (s, m) => m.insert(s.Author, [{ email: "mix1" }, { id: 600, email: "mix2" }, { email: "mix3" }]),
  },
  { name: "insert of generated uuids", run: (s, m) => m.insert(s.Post, [{ title: "q1" }, { title: "q2" }]) },
  {
    name: "insert with a text key",
    run: (s, m) =>
      m.insert(s.Tag, [
        { slug: "z", label: "Z" },
        { slug: "w ", label: "W" },
      ]),
  },
  {
    name: "insert with a key of microseconds given as text",
    run: (s, m) => m.insert(s.Reading, { at: "2026-01-02 03:04:05.123457", value: 1 }),
  },
  {
    name: "insert with a key made by the database",
    refusedOnMysql: true,
    run: (s, m) => m.insert(s.Reading, { value: 2 }),
  },
  {
    name: "insert by query builder, not updating the entity",
    run: (s, m) =>
      m.createQueryBuilder().insert().into(s.Author).values({ email: "qb1" }).updateEntity(false).execute(),
  },
  {
    name: "insert into a table by name",
    run: (_, m) =>
      m.createQueryBuilder().insert().into("tag").values({ slug: "named", label: "N" }).execute(),
  },
  {
    name: "insert with SQL expressions",
    run: (s, m) =>
      m
        .createQueryBuilder()
        .insert()
        .into(s.Author)
        .values({ email: () => "concat('ex', 'pr')" })
        .callListeners(false)
        .execute(),
  },
  {
    name: "insert that ignores conflicts",
    mayNoteMore: true,
    run: (s, m) =>
      m
        .createQueryBuilder()
        .insert()
        .into(s.Author)
        .values([{ email: "b" }, { email: "ign" }])
        .orIgnore()
        .execute(),
  },
  {
    name: "upsert of a mixed batch",
    run: (s, m) =>
      m.upsert(
        s.Author,
        [
          { email: "b", name: "up" },
          { email: "ups", name: "new" },
        ],
        ["email"],
      ),
  },
  {
    name: "upsert by primary key",
    run: (s, m) =>
      m.upsert(
        s.Tag,
        [
          { slug: "z", label: "ZZ" },
          { slug: "v", label: "V" },
        ],
        ["slug"],
      ),
  },
  {
    name: "upsert that changes nothing",
    mayNoteMore: true,
    run: (s, m) =>
      m.upsert(s.Tag, [{ slug: "z", label: "ZZ" }], {
        conflictPaths: ["slug"],
        skipUpdateIfNoValuesChanged: true,
      }),
  },
  {
    name: "insert from a select",
    since: "1.0.0",
    refusedOnMysql: true,
    run: (s, m) => {
      const copy = m.createQueryBuilder().insert().into(s.Tag, ["slug", "label"]);
      const from = m
        .createQueryBuilder()
        .select("concat('copy ', tag.slug)", "a")
        .addSelect("tag.label", "b")
        .from(s.Tag, "tag");
      return copy.valuesFromSelect(from.where("tag.slug = 'z'")).execute();
    },
  },
  { name: "update by key", run: (s, m) => m.update(s.Author, 1, { name: "by key" }) },
  { name: "update by keys", run: (s, m) => m.update(s.Author, [1, 2], { name: "by keys" }) },
  { name: "update of no row", run: (s, m) => m.update(s.Author, 424242, { name: "nobody" }) },
  { name: "update by criteria", run: (s, m) => m.update(s.Author, { email: "b" }, { name: "x" }) },
  {
    name: "update by a subquery that ends in a key",
    run: (s, m) =>
      m
        .createQueryBuilder()
        .update(s.Author)
        .set({ name: "sub" })
        .where("email IN (SELECT label FROM tag WHERE slug = :id)", { id: "z" })
        .execute(),
  },
  {
    name: "update of every row",
    run: (s, m) => m.createQueryBuilder().update(s.Tag).set({ label: "all" }).execute(),
  },
  {
    name: "update of a composite key's row",
    run: (s, m) => m.update(s.Line, { orderNo: 1, sku: "b" }, { quantity: 5 }),
  },
  { name: "increment", run: (s, m) => m.increment(s.Author, { email: "b" }, "counter", 2) },
  {
    name: "update that names the key it has",
    run: (s, m) => m.update(s.Author, { id: 1 }, { id: 1, name: "same" }),
  },
  { name: "update that changes a key", run: (s, m) => m.update(s.Tag, { slug: "v" }, { slug: "vv" }) },
  {
    name: "update that changes part of a key",
    run: (s, m) => m.update(s.Line, { orderNo: 1, sku: "a" }, { sku: "aa" }),
  },
  {
    name: "update that changes part of several keys",
    run: (s, m) => m.update(s.Line, { orderNo: 1 }, { orderNo: 2 }),
  },
  {
    name: "update that computes keys",
    refusedOnMysql: true,
    refusedOnMariaDb: true,
    run: (s, m) =>
      m
        .createQueryBuilder()
        .update(s.Line)
        .set({ orderNo: () => (s.type === "postgres" ? '"orderNo" + 1' : "orderNo + 1") })
        .execute(),
  },
  {
    name: "save of a changed relation",
    run: async (s, m) => m.save(s.Post, { id: (await post(s, m)).id, author: { id: 2 } }),
  },
  {
    name: "relation query builder: add",
    run: async (s, m) =>
      m
        .createQueryBuilder()
        .relation(s.Post, "tags")
        .of(await post(s, m))
        .add(["z"]),
  },
  {
    name: "relation query builder: remove",
    run: async (s, m) =>
      m
        .createQueryBuilder()
        .relation(s.Post, "tags")
        .of(await post(s, m))
        .remove(["z"]),
  },
  {
    name: "relation query builder: set",
    run: async (s, m) =>
      m
        .createQueryBuilder()
        .relation(s.Post, "author")
        .of(await post(s, m))
        .set(1),
  },
  { name: "one-to-many replaced", run: (s, m) => m.save(s.Author, { id: 1, posts: [] }) },
  {
    name: "many-to-many replaced",
    run: async (s, m) => m.save(s.Post, { id: (await post(s, m)).id, tags: [{ slug: "y" }] }),
  },
  { name: "softDelete by criteria", run: (s, m) => m.softDelete(s.Post, { title: "p2" }) },
  { name: "restore by criteria", run: (s, m) => m.restore(s.Post, { title: "p2" }) },
  { name: "softRemove of an entity", run: async (s, m) => m.softRemove(await post(s, m)) },
  {
    name: "recover of an entity",
    run: async (s, m) =>
      m.recover(await m.findOneOrFail(s.Post, { where: { title: "p1" }, withDeleted: true })),
  },
  { name: "a single-table child by criteria", run: (s, m) => m.update(s.Cat, { name: "tom" }, { lives: 8 }) },
  {
    name: "closure tree: a child",
    run: async (s, m) => {
      const root = await m.save(s.Folder, { name: "root" });
      const child = await m.save(s.Folder, { name: "child", parent: root });
      await m.save(s.Folder, { name: "grandchild", parent: child });
    },
  },
  {
    name: "closure tree: a move",
    run: async (s, m) => {
      const other = await m.save(s.Folder, { name: "other" });
      const moved = await m.findOneOrFail(s.Folder, {
        where: { name: "child" },
        relations: { parent: true },
      });
      moved.parent = other;
      await m.save(moved);
    },
  },
  {
    name: "nested-set tree: children",
    run: async (s, m) => {
      const root = await m.save(s.Region, { name: "root" });
      const first = await m.save(s.Region, { name: "first", parent: root });
      await m.save(s.Region, { name: "second", parent: first });
      await m.save(s.Region, { name: "third", parent: root });
    },
  },
  { name: "remove of an entity with join rows", run: async (s, m) => m.remove(await post(s, m)) },
  { name: "delete by key", run: (s, m) => m.delete(s.Author, 500) },
  { name: "delete by keys", run: (s, m) => m.delete(s.Author, [600, 424242]) },
  { name: "delete by criteria", run: (s, m) => m.delete(s.Author, { email: "arr1" }) },
  { name: "delete of no row", run: (s, m) => m.delete(s.Author, { email: "nobody" }) },
  { name: "delete of a row with a key of microseconds", run: (s, m) => m.delete(s.Reading, { value: 1 }) },
  {
    name: "delete by query builder with a returning list",
    run: (s, m) => m.createQueryBuilder().delete().from(s.Line).where("quantity > 0").execute(),
  },
  {
    name: "several writes of one row in one transaction",
    run: (s, m) =>
      m.transaction(async (tx) => {
        const made = await tx.save(s.Author, { email: "thrice" });
        await tx.update(s.Author, made.id, { name: "twice" });
        await tx.delete(s.Author, made.id);
        await tx.update(s.Author, 1, { name: "last" });
      }),
  },
];

function post(s: Source, m: EntityManager) {
  return m.findOneOrFail(s.Post, { where: { title: "p1" } });
}
