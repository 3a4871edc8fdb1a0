import { eventually } from "@lockstep/testing";
import { expect } from "chai";
import { setTimeout as sleep } from "node:timers/promises";
import { type EventEmitter, once } from "node:events";
import type { EntitySubscriberInterface, QueryRunner } from "typeorm";
import { openSource, type Source } from "../../support/open-source.js";
import { typeOrmVersions } from "../../support/typeorm-versions.js";

for (const version of Object.keys(typeOrmVersions)) {
  describe(`START TRANSACTION travels with the first statement: typeorm ${version} on PostgreSQL`, () => {
    let source: Source;
    let runner: QueryRunner;
    before(async () => {
      source = await openSource("postgres", { version, options: { extra: { max: 1 } } });
    });
    after(() => source.close());
    beforeEach(async () => {
      await source.sql("DELETE FROM author");
      await source.emptyOutbox();
      runner = source.dataSource.createQueryRunner();
    });
    afterEach(() => runner.release());

    const clientOf = async (of = runner) =>
      (await of.connect()) as {
        readonly connection: EventEmitter;
        readonly readyForQuery: boolean;
        query(sql: string, values?: unknown[]): Promise<unknown>;
      };
    /** Round trips that the one connection made meanwhile: each ends with the server's ready. */
    const roundTrips = async (work: () => Promise<unknown>) => {
      const { connection } = await clientOf();
      let trips = 0;
      const count = () => void trips++;
      // Of the parser, before anything can be kept from the client.
      const emit = connection.emit;
      connection.emit = (name: string, ...given: unknown[]) => {
        if (name === "readyForQuery") count();
        return emit.call(connection, name, ...given);
      };
      await work();
      Reflect.deleteProperty(connection, "emit");
      return trips;
    };
    const errorOf = (work: Promise<unknown>) =>
      work.then(
        () => undefined,
        (error: unknown) => error,
      );
    const same = async (...emails: string[]) => {
      const there = await runner.query("SELECT email FROM author ORDER BY email");
      expect(
        there.map(({ email }: { email: string }) => email),
        "in the table",
      ).to.deep.equal(emails);
      const told = await runner.query("SELECT image FROM lockstep.outbox ORDER BY seq");
      const images = told.map(({ image }: { image: string }) => (JSON.parse(image) as string[])[1]);
      expect(images.toSorted(), "in the outbox").to.deep.equal(emails);
    };
    const insert = (email: string) => runner.manager.insert(source.Author, { email });

    it("save takes two round trips, and so does insert", async () => {
      expect(await roundTrips(() => runner.manager.save(source.Author, { email: "a" }))).to.equal(2);
      expect(await roundTrips(() => insert("b"))).to.equal(2);
      await same("a", "b");
    });

    it("subscribers and the log see it as always", async () => {
      const seen: unknown[] = [];
      const subscriber: EntitySubscriberInterface = {
        beforeQuery: ({ query }) => void seen.push(query.split(" ")[0]),
        afterTransactionStart: ({ queryRunner }) => void seen.push(queryRunner.isTransactionActive),
      };
      source.dataSource.subscribers.push(subscriber);
      await runner.manager.save(source.Author, { email: "a" });
      source.dataSource.subscribers.pop();
      expect(seen.slice(0, 3)).to.deep.equal(["START", true, "INSERT"]);
    });

    it("a first statement that fails fails alone, in its transaction", async () => {
      await insert("a");
      await runner.startTransaction();
      expect(await errorOf(insert("a"))).to.have.nested.property("driverError.code", "23505");
      expect(await errorOf(insert("b"))).to.have.nested.property("driverError.code", "25P02");
      await runner.rollbackTransaction();
      await insert("c");
      await same("a", "c");
    });

    it("a first statement that can't be read leaves the transaction aborted", async () => {
      for (const parameters of [undefined, [1]]) {
        await runner.startTransaction();
        expect(await errorOf(runner.query("SELEKT", parameters))).to.have.nested.property(
          "driverError.position",
          "1",
        );
        expect(await errorOf(runner.query("SELECT 1"))).to.have.nested.property("driverError.code", "25P02");
        await runner.rollbackTransaction();
      }
      await insert("a");
      await same("a");
    });

    const firsts: Readonly<Record<string, () => Promise<unknown>>> = {
      "a statement without parameters": () => runner.query("INSERT INTO author (email) VALUES ('x')"),
      "a statement on the driver's client": async () =>
        (await clientOf()).query("INSERT INTO author (email) VALUES ($1)", ["x"]),
      "several statements in one string": () =>
        runner.query("SELECT 1; INSERT INTO author (email) VALUES ('x')"),
      "statements side by side": () =>
        Promise.all([
          insert("x"),
          runner.query("SELECT 1"),
          runner.query("SELECT $1::int", [1]),
          insert("y"),
        ]),
      "a savepoint": async () => {
        await runner.query("SAVEPOINT s");
        await insert("x");
      },
      nothing: async () => undefined,
    };
    for (const [name, first] of Object.entries(firsts)) {
      it(`whatever comes first is in the transaction: ${name}`, async () => {
        await runner.startTransaction();
        await first();
        await runner.rollbackTransaction();
        await same();
        await insert("a");
        await same("a");
      });
    }

    it("an isolation level is that of the transaction", async () => {
      await runner.startTransaction("REPEATABLE READ");
      const [{ transaction_isolation: level }] = await runner.query("SHOW transaction_isolation");
      expect(level).to.equal("repeatable read");
      await insert("a");
      await runner.commitTransaction();
      await same("a");
    });

    it("an empty transaction can be committed, and the next one begins", async () => {
      await runner.startTransaction();
      await runner.commitTransaction();
      await runner.startTransaction();
      await insert("a");
      await runner.commitTransaction();
      await same("a");
    });

    it("the transaction begins when it is begun, not when it is first used", async () => {
      const { connection } = await clientOf();
      const isBegun = once(connection, "readyForQuery");
      await runner.startTransaction();
      await isBegun;
      await sleep(60);
      const [{ age }] = await runner.query("SELECT extract(epoch FROM clock_timestamp() - now()) AS age");
      expect(Number(age)).to.be.greaterThan(0.05);
      await runner.rollbackTransaction();
    });

    it("released with nothing sent, the connection is given back clean", async () => {
      await runner.startTransaction();
      await runner.release();
      runner = source.dataSource.createQueryRunner();
      await insert("a");
      await same("a");
    });

    for (const [name, first] of [
      ["with the first statement", () => insert("a")],
      [
        "before a statement without parameters",
        () => runner.query("INSERT INTO author (email) VALUES ('a')"),
      ],
      ["by itself", () => sleep(20).then(() => insert("a"))],
    ] as const) {
      it(`where START is refused, ${name}, nothing runs and the connection goes`, async () => {
        // What the connection's last user left: a failed transaction, in which nothing begins.
        const client = await clientOf();
        await client.query("BEGIN");
        await errorOf(client.query("SELECT 1/0"));
        await eventually(async () => client.readyForQuery);
        await errorOf(runner.startTransaction());
        expect(await errorOf(first())).to.be.instanceOf(Error);
        await errorOf(runner.rollbackTransaction());
        await errorOf(runner.release());
        // Until the pool has noticed.
        await eventually(() =>
          source.sql("SELECT 1").then(
            () => true,
            () => false,
          ),
        );
        runner = source.dataSource.createQueryRunner();
        expect(await clientOf()).not.to.equal(client);
        await same();
      });
    }
  });
}
