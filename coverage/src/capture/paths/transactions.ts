import type { EntityManager, EntitySubscriberInterface } from "typeorm";
import { dataSourceOf, type Family, failing, only, posts, since } from "./write-path.js";

/** Where transactions begin and end, and who else writes in them. */
export const transactions: Family = {
  title: "Transactions, query runners, subscribers",
  paths: [
    {
      name: "a savepoint rolled back between writes that stay",
      ownTransaction: true,
      write: ({ entities: { Author } }, m) =>
        m.transaction(async (tx) => {
          await tx.update(Author, 1, { name: "outer" });
          await failing(() =>
            tx.transaction(async (inner) => {
              await inner.save(Author, { email: "ghost" });
              await inner.update(Author, 2, { name: "ghost" });
              throw new Error("undone");
            }),
          );
          await tx.save(Author, { email: "after" });
        }),
    },
    {
      name: "an inner transaction that commits inside an outer one that doesn't",
      ownTransaction: true,
      changesNothing: true,
      write: ({ entities: { Author } }, m) =>
        failing(() =>
          m.transaction(async (tx) => {
            await tx.transaction((inner) => inner.save(Author, { email: "ghost" }));
            throw new Error("undone");
          }),
        ),
    },
    {
      name: "a save that fails inside a transaction that catches it and goes on",
      ownTransaction: true,
      missing: only(["mariadb", "mysql"], "PostgreSQL takes nothing more in such a transaction"),
      write: ({ entities: { Author, Tag } }, m) =>
        m.transaction(async (tx) => {
          await tx.update(Tag, "x", { label: "before" });
          await failing(() => tx.save(Author, { email: "zoe@x" }));
          await tx.update(Tag, "y", { label: "after" });
        }),
    },
    {
      name: "isolation level SERIALIZABLE",
      ownTransaction: true,
      write: ({ entities }, m) =>
        m.transaction("SERIALIZABLE", (tx) => tx.update(entities.Author, 1, { name: "s" })),
    },
    {
      name: "isolation level READ COMMITTED",
      ownTransaction: true,
      write: ({ entities }, m) =>
        m.transaction("READ COMMITTED", (tx) => tx.update(entities.Author, { counter: 1 }, { name: "rc" })),
    },
    {
      name: "builders on an explicit query runner, without a transaction",
      ownTransaction: true,
      async write({ entities: { Author } }, m) {
        const runner = dataSourceOf(m).createQueryRunner();
        await dataSourceOf(m)
          .createQueryBuilder(runner)
          .update(Author)
          .set({ name: "r" })
          .where("id = 1")
          .execute();
        await dataSourceOf(m)
          .createQueryBuilder()
          .delete()
          .from(Author)
          .where("id = 4")
          .setQueryRunner(runner)
          .execute();
        await runner.release();
      },
    },
    {
      name: "BEGIN and COMMIT by hand",
      ownTransaction: true,
      async write({ entities: { Author } }, m) {
        const runner = dataSourceOf(m).createQueryRunner();
        await runner.query("BEGIN");
        await runner.manager.update(Author, 1, { name: "by hand" });
        await runner.manager.insert(Author, { email: "by hand" });
        await runner.query("COMMIT");
        await runner.release();
      },
    },
    {
      name: "BEGIN and ROLLBACK by hand",
      ownTransaction: true,
      changesNothing: true,
      async write({ entities: { Author } }, m) {
        const runner = dataSourceOf(m).createQueryRunner();
        await runner.query("BEGIN");
        await runner.manager.update(Author, 1, { name: "by hand" });
        await runner.query("ROLLBACK");
        await runner.release();
      },
    },
    {
      name: "a query runner released inside an open transaction",
      ownTransaction: true,
      changesNothing: true,
      async write({ entities: { Author } }, m) {
        const runner = dataSourceOf(m).createQueryRunner();
        await runner.startTransaction();
        await runner.manager.update(Author, 1, { name: "lost" });
        await runner.release();
        // The connection's next user must not commit it.
        await m.transaction((tx) => tx.findBy(Author, { id: 1 }));
      },
    },
    {
      name: "`await using` of a query runner (it commits)",
      ownTransaction: true,
      missing: since("1.1.1"),
      async write({ entities: { Author } }, m) {
        const runner = dataSourceOf(m).createQueryRunner();
        await runner.startTransaction();
        await runner.manager.update(Author, 1, { name: "disposed" });
        await runner[Symbol.asyncDispose]();
      },
    },
    {
      name: "writes at the same time in one transaction",
      missing: only(["mariadb", "mysql"], "pg warns of it, its next version refuses it"),
      write: ({ entities: { Author, Tag } }, m) =>
        m.transaction((tx) =>
          Promise.all([
            tx.save(Author, { email: "p1" }),
            tx.update(Tag, "x", { label: "p" }),
            tx.insert(Author, { email: "p2" }),
          ]),
        ),
    },
    {
      name: "nested transactions at the same time, one of which fails (TypeORM mixes up their savepoints)",
      ownTransaction: true,
      changesNothing: "perhaps",
      async write({ entities: { Author } }, m) {
        const inner: Promise<unknown>[] = [];
        await m
          .transaction(async (tx) => {
            inner.push(
              tx.transaction((one) => one.save(Author, { email: "n1" })),
              tx.transaction(async (other) => {
                await other.update(Author, 1, { name: "ghost" });
                throw new Error("undone");
              }),
            );
            await Promise.all(inner);
          })
          .catch(() => undefined);
        await Promise.allSettled(inner);
        // The connection's next user must not commit what they left.
        await m.transaction((tx) => tx.insert(Author, { email: "next" }));
      },
    },
    {
      name: "a statement failed and swallowed: PostgreSQL answers COMMIT with ROLLBACK",
      ownTransaction: true,
      changesNothing: true,
      missing: only(["postgres"], "MariaDB goes on"),
      write: ({ entities: { Author } }, m) =>
        failing(() =>
          m.transaction(async (tx) => {
            await tx.update(Author, 1, { name: "ghost" });
            await failing(() => tx.query("SELECT 1 / 0"));
          }),
        ),
    },
    {
      name: "the slave's query runner (replication)",
      ownTransaction: true,
      async write({ entities: { Author }, doors }) {
        const runner = doors.replicated.dataSource.createQueryRunner("slave");
        await runner.manager.update(Author, 1, { name: "by the slave's runner" });
        await runner.release();
      },
    },
    {
      name: "a migration that writes through its manager",
      ownTransaction: true,
      async write({ entities: { Author } }, m) {
        const dataSource = dataSourceOf(m);
        class Rename1700000000000 {
          up = (runner: { manager: EntityManager }) => runner.manager.update(Author, 1, { name: "migrated" });
          down = () => Promise.resolve();
        }
        const migration = new Rename1700000000000();
        dataSource.migrations.push(migration as never);
        try {
          await dataSource.runMigrations();
          await m.query(`DELETE FROM ${dataSource.driver.escape("migrations")}`);
        } finally {
          dataSource.migrations.splice(dataSource.migrations.indexOf(migration as never), 1);
        }
      },
    },
    ...subscribed(),
  ],
};

function subscribed(): Family["paths"] {
  return [
    {
      name: "another subscriber that writes in afterInsert",
      write: ({ entities: { Author, Tag } }, m) =>
        withSubscriber(
          m,
          {
            async afterInsert({ metadata, manager }) {
              if (metadata.name === "Author") await manager.update(Tag, "x", { label: "by a subscriber" });
            },
          },
          () => m.save(Author, { email: "subscribed" }),
        ),
    },
    {
      name: "another subscriber that writes in beforeTransactionCommit",
      ownTransaction: true,
      write({ entities: { Author, Tag } }, m) {
        let done = false;
        return withSubscriber(
          m,
          {
            async beforeTransactionCommit({ manager }) {
              if (done) return;
              done = true;
              await manager.save(Tag, { slug: "x", label: "at the last moment" });
            },
          },
          () => m.save(Author, { email: "subscribed" }),
        );
      },
    },
    {
      name: "another subscriber that throws in afterInsert",
      changesNothing: true,
      ownTransaction: true,
      write: ({ entities: { Author } }, m) =>
        withSubscriber(m, { afterInsert: () => Promise.reject(new Error("no")) }, () =>
          failing(() => m.save(Author, { email: "refused" })),
        ),
    },
    {
      name: "another subscriber that throws in beforeTransactionCommit",
      changesNothing: true,
      ownTransaction: true,
      write: ({ entities: { Author } }, m) =>
        withSubscriber(m, { beforeTransactionCommit: () => Promise.reject(new Error("no")) }, () =>
          failing(() => m.save(Author, { email: "refused" })),
        ),
    },
    {
      name: "another subscriber that throws in afterTransactionCommit",
      ownTransaction: true,
      write: ({ entities: { Author } }, m) =>
        withSubscriber(m, { afterTransactionCommit: () => Promise.reject(new Error("no")) }, () =>
          failing(() => m.save(Author, { email: "stays" })),
        ),
    },
    {
      name: "another subscriber that throws in afterUpdate of a write outside a transaction",
      ownTransaction: true,
      write: ({ entities: { Author } }, m) =>
        withSubscriber(m, { afterUpdate: () => Promise.reject(new Error("no")) }, () =>
          failing(() => m.update(Author, 1, { name: "stays" })),
        ),
    },
    {
      name: "a save of a removed entity's row again",
      async write({ entities: { Post } }, m) {
        const post = await m.findOneByOrFail(Post, { id: posts.second });
        await m.remove(post);
        await m.save(Post, { id: posts.second, title: "again" });
      },
    },
  ];
}

async function withSubscriber(
  m: EntityManager,
  subscriber: EntitySubscriberInterface,
  work: () => Promise<unknown>,
): Promise<void> {
  const { subscribers } = dataSourceOf(m);
  subscribers.push(subscriber);
  try {
    await work();
  } finally {
    subscribers.splice(subscribers.indexOf(subscriber), 1);
  }
}
