import { isLockstepError, LockstepError } from "@lockstep/core";
import { startProxy } from "@lockstep/testing";
import { expect } from "chai";
import type { EntitySubscriberInterface } from "typeorm";
import { type DriverType, openSource, type Source } from "../../support/open-source.js";
import { typeOrmVersions } from "../../support/typeorm-versions.js";

const drivers = ["postgres", "mariadb", "mysql"] as const satisfies readonly DriverType[];

for (const version of Object.keys(typeOrmVersions)) {
  for (const type of version === "1.1.1" ? drivers : drivers.slice(0, 2)) {
    describe(`transactions: typeorm ${version} on ${type}`, () => {
      let source: Source;
      let failing: Error | undefined;
      const added: EntitySubscriberInterface[] = [];

      before(async () => {
        source = await openSource(type, { version, failAppend: () => failing });
      });
      afterEach(async () => {
        failing = undefined;
        for (const subscriber of added.splice(0)) {
          source.dataSource.subscribers.splice(source.dataSource.subscribers.indexOf(subscriber), 1);
        }
        await source.sql("DELETE FROM author");
        await source.emptyOutbox();
        source.logged.length = 0;
      });
      after(() => source.close());

      /** Emails of the authors there are, and of those the outbox tells of. */
      const there = async () =>
        (await source.sql("SELECT email FROM author ORDER BY email")).map((row) => String(row["email"]));
      const told = async () => (await source.outbox()).map(({ image }) => image?.[1] ?? "deleted").toSorted();
      const same = async (...emails: string[]) => {
        expect(await there(), "in the table").to.deep.equal(emails);
        expect(await told(), "in the outbox").to.deep.equal(emails);
      };
      const insert = (email: string) => source.dataSource.manager.insert(source.Author, { email });
      const subscribe = (subscriber: EntitySubscriberInterface) => {
        added.push(subscriber);
        source.dataSource.subscribers.push(subscriber);
      };
      const errorOf = (work: Promise<unknown>) =>
        work.then(
          () => undefined,
          (error: unknown) => error,
        );

      it("a rolled back transaction leaves nothing", async () => {
        const { manager } = source.dataSource;
        await errorOf(
          manager.transaction(async (tx) => {
            await tx.save(source.Author, { email: "a" });
            throw new Error("no");
          }),
        );
        await same();
      });

      if (type === "postgres")
        it("a COMMIT whose answer is lost fails with the driver's error: nobody knows whether it took place", async () => {
          const { hostname, port } = new URL(urlOf(source.options));
          await using proxy = await startProxy({ host: hostname, port: Number(port) });
          const options = { ...source.options, url: proxy.url(urlOf(source.options)), synchronize: false };
          const far = await new source.orm.DataSource(options as typeof source.options).initialize();
          const capture = await source.installOn(far);
          try {
            const error = await errorOf(
              far.manager.transaction(async (tx) => {
                await tx.save(source.Author, { email: "a" });
                proxy.blackHole();
                setTimeout(() => proxy.reset(), 100);
              }),
            );
            expect(error).to.be.instanceOf(Error);
            expect(isLockstepError(error), String(error)).to.equal(false);
          } finally {
            await proxy.heal();
            capture.uninstall();
            await far.destroy();
          }
        });

      it("a rolled back savepoint leaves nothing, what is around it stays", async () => {
        await source.dataSource.manager.transaction(async (tx) => {
          await tx.insert(source.Author, { email: "a" });
          await errorOf(
            tx.transaction(async (inner) => {
              await inner.save(source.Author, { email: "b" });
              await inner.transaction((deep) => deep.insert(source.Author, { email: "c" }));
              throw new Error("no");
            }),
          );
          await tx.transaction((inner) => inner.save(source.Author, { email: "d" }));
        });
        await same("a", "d");
      });

      it("an outer rollback takes released savepoints along", async () => {
        await errorOf(
          source.dataSource.manager.transaction(async (tx) => {
            await tx.transaction((inner) => inner.insert(source.Author, { email: "a" }));
            throw new Error("no");
          }),
        );
        await same();
      });

      it("a query runner used by hand", async () => {
        const runner = source.dataSource.createQueryRunner();
        await runner.startTransaction();
        await runner.manager.save(source.Author, { email: "a" });
        await runner.startTransaction();
        await runner.manager.save(source.Author, { email: "b" });
        await runner.rollbackTransaction();
        await runner.commitTransaction();
        await runner.manager.insert(source.Author, { email: "c" });
        await runner.release();
        await same("a", "c");
      });

      it("BEGIN, SAVEPOINT and COMMIT by hand", async () => {
        const runner = source.dataSource.createQueryRunner();
        await runner.query("BEGIN");
        await runner.manager.insert(source.Author, { email: "a" });
        await runner.query("SAVEPOINT mine");
        await runner.manager.insert(source.Author, { email: "b" });
        await runner.query("ROLLBACK TO SAVEPOINT mine");
        expect(await told()).to.deep.equal([]);
        await runner.query("COMMIT");
        await runner.release();
        await same("a");
      });

      it("row and outbox row of a write outside a transaction are one", async () => {
        failing = new Error("the outbox is full");
        const error = await errorOf(insert("a"));
        expect(isLockstepError(error, "OUTBOX_WRITE_FAILED")).to.equal(true);
        await same();
        failing = undefined;
        await insert("a");
        await same("a");
      });

      it("a failing outbox fails the transaction", async () => {
        failing = new Error("the outbox is full");
        const { manager } = source.dataSource;
        const error = await errorOf(manager.transaction((tx) => tx.save(source.Author, { email: "a" })));
        expect(isLockstepError(error, "OUTBOX_WRITE_FAILED")).to.equal(true);
        await same();
      });

      it("a second COMMIT after a failed flush doesn't get through", async () => {
        const runner = source.dataSource.createQueryRunner();
        await runner.startTransaction();
        await runner.manager.insert(source.Author, { email: "a" });
        failing = new Error("the outbox is full");
        expect(await errorOf(runner.commitTransaction())).to.be.instanceOf(LockstepError);
        failing = undefined;
        const again = await errorOf(runner.query("COMMIT"));
        expect(isLockstepError(again, "CAPTURE_POISONED")).to.equal(true);
        await errorOf(runner.query("ROLLBACK"));
        await runner.release();
        await same();
      });

      it("a listener's error that the application swallows doesn't hide the row", async () => {
        subscribe({
          afterInsert: (event) => {
            if (event.entity?.["email"] === "b") throw new Error("listener");
          },
        });
        const swallowed = source.dataSource.manager.transaction(async (tx) => {
          await tx.insert(source.Author, { email: "a" });
          await errorOf(tx.save(source.Author, { email: "b" }));
        });
        // MariaDB and PostgreSQL both keep the row: the statement itself went through.
        await swallowed;
        await same("a", "b");
      });

      it("a statement's error that the application swallows", async () => {
        const error = await errorOf(
          source.dataSource.manager.transaction(async (tx) => {
            await tx.insert(source.Author, { email: "a" });
            await errorOf(tx.insert(source.Author, { email: "a" }));
          }),
        );
        // PostgreSQL answers ROLLBACK to the COMMIT of such a transaction, and TypeORM calls it committed.
        if (type === "postgres") {
          expect(isLockstepError(error, "OUTBOX_WRITE_FAILED")).to.equal(true);
          await same();
        } else {
          expect(error).to.equal(undefined);
          await same("a");
        }
      });

      it("another subscriber's error before the commit", async () => {
        subscribe({
          beforeTransactionCommit: () => {
            throw new Error("other");
          },
        });
        expect(await errorOf(insert("auto"))).to.equal(undefined);
        expect(await errorOf(source.dataSource.manager.save(source.Author, { email: "a" }))).to.be.instanceOf(
          Error,
        );
        await same("auto");
      });

      it("another subscriber's writes before the commit", async () => {
        let once = true;
        subscribe({
          beforeTransactionCommit: async (event) => {
            if (once) {
              once = false;
              await event.queryRunner.manager.insert(source.Author, { email: "late" });
            }
          },
        });
        await source.dataSource.manager.save(source.Author, { email: "a" });
        await same("a", "late");
      });

      it("another subscriber's writes after the commit", async () => {
        let once = true;
        subscribe({
          afterTransactionCommit: async (event) => {
            if (once) {
              once = false;
              await event.queryRunner.manager.insert(source.Author, { email: "late" });
            }
          },
        });
        await source.dataSource.manager.save(source.Author, { email: "a" });
        await same("a", "late");
      });

      it("writes from a listener of a write outside a transaction", async () => {
        subscribe({
          afterInsert: async (event) => {
            if (event.entity?.["email"] === "a") await event.manager.save(source.Author, { email: "nested" });
          },
        });
        await insert("a");
        await same("a", "nested");
      });

      it("saves side by side in one transaction", async () => {
        await source.dataSource.manager.transaction((tx) =>
          Promise.all(["a", "b", "c"].map((email) => tx.save(source.Author, { email }))),
        );
        await same("a", "b", "c");
      });

      it("writes side by side on one query runner without a transaction", async () => {
        const runner = source.dataSource.createQueryRunner();
        const writes = ["a", "b", "a", "c"].map((email) =>
          errorOf(runner.manager.insert(source.Author, { email })),
        );
        const errors = (await Promise.all(writes)).filter((error) => error !== undefined);
        await runner.release();
        expect(errors).to.have.length(1);
        await same("a", "b", "c");
      });

      it("a write that nobody waited for before the commit", async () => {
        const floating: Promise<unknown>[] = [];
        await source.dataSource.manager.transaction(async (tx) => {
          await tx.insert(source.Author, { email: "a" });
          floating.push(errorOf(tx.insert(source.Author, { email: "b" })));
        });
        await Promise.all(floating);
        const emails = await there();
        expect(await told()).to.deep.equal(emails);
      });

      it("queryRunner.data replaced during a save", async () => {
        await source.dataSource.manager.transaction(async (tx) => {
          tx.queryRunner!.data = { mine: 1 };
          await tx.save(source.Author, { email: "a" }, { data: { yours: 2 } });
        });
        await same("a");
      });

      it("a query runner released inside its transaction", async () => {
        const runner = source.dataSource.createQueryRunner();
        await runner.startTransaction();
        await runner.manager.insert(source.Author, { email: "a" });
        await runner.release();
        await insert("b");
        await same("b");
        expect(source.logged.map(({ message }) => message)).to.deep.equal([
          "query runner released inside an open transaction: rolled back",
        ]);
      });

      it("a query runner released while a write is under way", async () => {
        const runner = source.dataSource.createQueryRunner();
        await runner.query("SELECT 1");
        const floating = errorOf(runner.manager.insert(source.Author, { email: "a" }));
        await runner.release();
        await floating;
        expect(await told()).to.deep.equal(await there());
        await runner.release();
        await insert("b");
        expect(await told()).to.deep.equal(await there());
      });

      it("a write after the release of a query runner inside its transaction", async () => {
        const runner = source.dataSource.createQueryRunner();
        await runner.startTransaction();
        await runner.manager.insert(source.Author, { email: "a" });
        const released = runner.release();
        const error = await errorOf(runner.manager.insert(source.Author, { email: "b" }));
        await released;
        expect(error).to.be.instanceOf(Error);
        await insert("c");
        await same("c");
      });

      it("a transaction that is open while capture is installed anew", async () => {
        await source.dataSource.manager.transaction(async (tx) => {
          await tx.insert(source.Author, { email: "a" });
          await source.reinstall();
          await tx.insert(source.Author, { email: "b" });
        });
        await same("a", "b");
      });

      it("a transaction that began before capture was there", async () => {
        source.capture.uninstall();
        await source.dataSource.manager.transaction(async (tx) => {
          await tx.query("SELECT 1");
          await source.reinstall();
          await tx.insert(source.Author, { email: "a" });
        });
        await same("a");
      });

      it("useTransaction of a query builder", async () => {
        await source.dataSource
          .createQueryBuilder()
          .insert()
          .into(source.Author)
          .values({ email: "a" })
          .useTransaction(true)
          .execute();
        await same("a");
      });

      it("raw SQL on a captured table is warned of, once, by name", async () => {
        await source.dataSource.query("UPDATE author SET name = 'raw' WHERE 1 = 0");
        await source.dataSource.query("UPDATE author SET name = 'raw' WHERE 1 = 0");
        expect(source.capture.blindWrites).to.equal(2);
        expect(source.logged).to.have.length(1);
        expect(source.logged[0]?.fields).to.have.deep.property("tables", ["author"]);
      });

      it("clear() is refused", async () => {
        await insert("a");
        const error = await errorOf(source.dataSource.getRepository(source.Tag).clear());
        expect(isLockstepError(error, "CAPTURE_BLIND_WRITE")).to.equal(true);
        await same("a");
      });

      it("commits are counted once, rollbacks and reads not at all", async () => {
        const before = source.commits();
        await source.dataSource.manager.save(source.Author, { email: "a" });
        await insert("b");
        await source.dataSource.manager.find(source.Author);
        await source.dataSource.manager.transaction((tx) => tx.find(source.Author));
        expect(source.commits() - before).to.equal(2);
      });

      if (type !== "postgres") {
        it("an implicit commit keeps row and outbox row together", async () => {
          const runner = source.dataSource.createQueryRunner();
          await runner.startTransaction();
          await runner.manager.insert(source.Author, { email: "a" });
          await runner.query("CREATE TABLE IF NOT EXISTS somewhere (id INT)");
          await runner.manager.insert(source.Author, { email: "b" });
          await runner.rollbackTransaction();
          await runner.release();
          // The server ended the transaction at CREATE TABLE; "b" was a write of its own.
          await same("a", "b");
        });

        it("a deadlock that the application swallows", async () => {
          await insert("x");
          await insert("y");
          await source.emptyOutbox();
          const [one, two] = [source.dataSource.createQueryRunner(), source.dataSource.createQueryRunner()];
          await one.startTransaction();
          await two.startTransaction();
          await one.manager.insert(source.Author, { email: "one" });
          await two.manager.insert(source.Author, { email: "two" });
          await one.manager.update(source.Author, { email: "x" }, { counter: 1 });
          await two.manager.update(source.Author, { email: "y" }, { counter: 1 });
          const errors = await Promise.all([
            errorOf(one.manager.update(source.Author, { email: "y" }, { counter: 2 })),
            errorOf(two.manager.update(source.Author, { email: "x" }, { counter: 2 })).then(async (error) => {
              if (error) await errorOf(two.manager.insert(source.Author, { email: "after" }));
              await errorOf(two.commitTransaction());
              return error;
            }),
          ]);
          await errorOf(one.commitTransaction());
          await Promise.all([one.release(), two.release()]);
          expect(errors.filter((error) => error !== undefined)).to.have.length(1);
          const changed = (
            await source.sql(
              "SELECT email FROM author WHERE counter > 0 OR email NOT IN ('x', 'y') ORDER BY email",
            )
          ).map((row) => String(row["email"]));
          expect(await told()).to.deep.equal(changed);
        });
      }
    });
  }

  for (const type of version === "1.1.1" ? drivers : drivers.slice(0, 1)) {
    describe(`a pool of one connection: typeorm ${version} on ${type}`, () => {
      it("is never asked for a second one", async () => {
        const size = type === "postgres" ? { extra: { max: 1 } } : { extra: { connectionLimit: 1 } };
        const source = await openSource(type, { version, options: size });
        try {
          const { manager } = source.dataSource;
          await manager.insert(source.Author, { email: "a" });
          await manager.save(source.Author, { email: "b" });
          await manager.upsert(source.Author, [{ email: "a", name: "n" }], ["email"]);
          await manager.transaction((tx) => tx.delete(source.Author, { email: "b" }));
          expect((await source.outbox()).map(({ op }) => op)).to.have.length(4);
        } finally {
          await source.close();
        }
      });
    });
  }
}

describe("await using of a query runner: typeorm 1.1.1", () => {
  it("commits what is open, with its outbox rows", async () => {
    const source = await openSource("postgres");
    try {
      const runner = source.dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.manager.insert(source.Author, { email: "a" });
      await runner.startTransaction();
      await runner.manager.insert(source.Author, { email: "b" });
      await runner[Symbol.asyncDispose]();
      expect((await source.outbox()).map(({ image }) => image?.[1])).to.deep.equal(["a", "b"]);
    } finally {
      await source.close();
    }
  });
});

function urlOf(options: Source["options"]): string {
  return (options as { readonly url: string }).url;
}
