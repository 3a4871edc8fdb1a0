import { type Family, only, posts } from "./write-path.js";

/** What the database changes along. */
export const foreignKeys: Family = {
  title: "Foreign keys and triggers of the database",
  paths: [
    {
      name: "ON DELETE CASCADE and, behind it, SET NULL",
      write: ({ entities }, m) => m.delete(entities.Maker, { code: "m" }),
    },
    {
      name: "ON UPDATE CASCADE through composite keys",
      write: ({ entities }, m) => m.update(entities.Maker, { code: "m" }, { code: "mm" }),
    },
    {
      name: "ON UPDATE CASCADE of a key that moves twice in one transaction",
      write: ({ entities: { Maker } }, m) =>
        m.transaction(async (tx) => {
          await tx.update(Maker, { code: "m" }, { code: "between" });
          await tx.update(Maker, { code: "between" }, { code: "mm" });
        }),
    },
    {
      name: "ON DELETE CASCADE to a child whose key is the foreign key",
      write: ({ entities }, m) => m.delete(entities.Line, { orderNo: 1, sku: "a" }),
    },
    {
      name: "ON DELETE CASCADE of join rows, below `delete` by criteria",
      write: ({ entities }, m) => m.delete(entities.Post, { title: "p2" }),
    },
    {
      name: "ON DELETE CASCADE below `remove`",
      async write({ entities: { Post, Pin } }, m) {
        await m.delete(Pin, 1);
        await m.remove(await m.findOneByOrFail(Post, { id: posts.first }));
      },
    },
    {
      name: "ON DELETE SET NULL of a single-table child",
      write: ({ entities }, m) => m.delete(entities.Person, 1),
    },
    {
      name: "ON UPDATE CASCADE of a key that an upsert moves",
      write: ({ entities }, m) => m.upsert(entities.Maker, [{ code: "up", label: "M" }], ["label"]),
    },
    {
      name: "ON DELETE CASCADE below a delete whose WHERE is different each time it is asked",
      async write({ entities: { Maker, Model }, driver }, m) {
        const makers = Array.from({ length: 64 }, (_, n) => ({ code: `r${n}` }));
        await m.insert(Maker, makers);
        await m.insert(
          Model,
          makers.map(({ code }) => ({ makerCode: code, name: "m" })),
        );
        const random = driver === "postgres" ? "random()" : "rand()";
        await m.createQueryBuilder().delete().from(Maker).where(`${random} < 0.5`).execute();
      },
    },
    {
      name: "a BEFORE trigger that changes the row",
      async write({ entities: { Item } }, m) {
        await m.insert(Item, { code: "t", labels: [] });
        await m.update(Item, "1", { price: 3 });
      },
    },
    {
      name: "an AFTER trigger that writes to another table",
      beyond: "the database writes by itself",
      missing: only(["postgres", "mariadb"], "keys made by a default are refused"),
      write: ({ entities }, m) => m.insert(entities.Reading, { value: 77 }),
    },
  ],
};
