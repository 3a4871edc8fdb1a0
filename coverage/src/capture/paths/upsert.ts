import { either, type Family, only, since } from "./write-path.js";

/** INSERT that may update. */
export const upsert: Family = {
  title: "upsert",
  paths: [
    {
      name: "upsert of new and existing rows, by a unique column",
      write: ({ entities }, m) =>
        m.upsert(
          entities.Author,
          [
            { email: "zoe@x", name: "up" },
            { email: "u1", name: "new" },
            { email: "yan@x", name: "up" },
            { email: "u2", name: "new" },
          ],
          ["email"],
        ),
    },
    {
      name: "repository.upsert by primary key",
      write: ({ entities }, m) =>
        m.getRepository(entities.Tag).upsert(
          [
            { slug: "x", label: "XX" },
            { slug: "u", label: "U" },
          ],
          ["slug"],
        ),
    },
    {
      name: "upsert by a composite key",
      write: ({ entities }, m) =>
        m.upsert(
          entities.Line,
          [
            { orderNo: 1, sku: "a", quantity: 10 },
            { orderNo: 5, sku: "n", quantity: 11 },
          ],
          ["orderNo", "sku"],
        ),
    },
    {
      name: "upsert that gives the existing row another primary key",
      write: ({ entities }, m) =>
        m.upsert(entities.Author, { id: 700, email: "wim@x", name: "moved" }, ["email"]),
    },
    {
      name: "upsert with `skipUpdateIfNoValuesChanged`, nothing changed",
      changesNothing: true,
      missing: only(["postgres"], "only on PostgreSQL"),
      write: ({ entities }, m) =>
        m.upsert(entities.Tag, [{ slug: "x", label: "X" }], {
          conflictPaths: ["slug"],
          skipUpdateIfNoValuesChanged: true,
        }),
    },
    {
      name: "upsert that writes what is there",
      changesNothing: true,
      write: ({ entities }, m) => m.upsert(entities.Tag, [{ slug: "x", label: "X" }], ["slug"]),
    },
    {
      name: "upsert with `returning`",
      missing: either(since("0.3.31"), only(["postgres", "mariadb"], "no RETURNING here")),
      write: ({ entities }, m) =>
        m.upsert(entities.Author, [{ email: "zoe@x", name: "r" }, { email: "ur" }], {
          conflictPaths: ["email"],
          returning: ["name"],
        }),
    },
    {
      name: "query builder with `orUpdate`",
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .insert()
          .into(entities.Author)
          .values([
            { email: "zoe@x", name: "ou", counter: 50 },
            { email: "ou", name: "ou", counter: 51 },
          ])
          .orUpdate(["name", "counter"], ["email"])
          .updateEntity(false)
          .execute(),
    },
    {
      name: "query builder with `orUpdate` and a condition that leaves rows out",
      missing: either(since("0.3.31"), only(["postgres"], "only on PostgreSQL")),
      write: ({ entities }, m) =>
        m
          .createQueryBuilder()
          .insert()
          .into(entities.Tag)
          .values([
            { slug: "x", label: "cond" },
            { slug: "y", label: "cond" },
          ])
          .orUpdate(["label"], ["slug"], { overwriteCondition: { where: { slug: "x" } } })
          .execute(),
    },
    {
      name: "upsert of a versioned row with dates",
      write: ({ entities }, m) =>
        m.upsert(entities.Post, [{ id: "11111111-1111-4111-8111-111111111111", title: "up" }], ["id"]),
    },
    {
      name: "upsert of a single-table child",
      write: ({ entities }, m) => m.upsert(entities.Cat, [{ id: 1, name: "tom", lives: 1 }], ["id"]),
    },
  ],
};
