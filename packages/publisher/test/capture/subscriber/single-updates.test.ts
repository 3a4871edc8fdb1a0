import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { listening } from "../../support/listening.js";
import { openSource, type Source } from "../../support/open-source.js";
import { typeOrmVersions } from "../../support/typeorm-versions.js";

for (const version of Object.keys(typeOrmVersions)) {
  describe(`an update of one row outside of a transaction, on PostgreSQL: typeorm ${version}`, () => {
    let source: Source;
    let id: number;
    const sent: string[] = [];
    before(async () => {
      source = await openSource("postgres", { version, options: { logging: true, logger: listening(sent) } });
    });
    after(() => source.close());
    beforeEach(async () => {
      await source.sql("DELETE FROM author");
      const made = await source.dataSource.manager.save(source.Author, { email: "a" });
      id = made.id;
      await source.dataSource.manager.save(source.Author, { email: "b" });
      await source.emptyOutbox();
      sent.length = 0;
    });

    const update = (set: object, where: object = { id }) =>
      source.dataSource.manager.update(source.Author, where, set);
    const names = async () =>
      (await source.sql("SELECT email, name FROM author ORDER BY email")).map(({ name }) => name);
    const errorOf = (work: Promise<unknown>) =>
      work.then(
        () => undefined,
        (error: unknown) => error,
      );
    const cells = async () => (await source.outbox()).map(({ op, image }) => [op, image?.[1], image?.[2]]);

    it("takes one message, and is one transaction with its outbox row", async () => {
      const result = await update({ name: "n" });
      expect(result.affected).to.equal(1);
      expect(sent.filter((sql) => !sql.startsWith("SELECT"))).to.have.length(1);
      expect(await cells()).to.deep.equal([["update", "a", "n"]]);
      const [same] = await source.sql(
        "SELECT (a.xmin = o.xid::xid) AS same FROM author a, lockstep.outbox o WHERE a.email = 'a'",
      );
      expect(same?.["same"]).to.equal(true);
    });

    it("gives TypeORM what it asked for", async () => {
      const result = await source.dataSource
        .createQueryBuilder()
        .update(source.Author)
        .set({ name: "n" })
        .where({ id })
        .returning(["id", "name"])
        .execute();
      expect(result.raw).to.deep.equal([{ id, name: "n" }]);
    });

    it("writes nothing for a row that isn't there", async () => {
      expect((await update({ name: "n" }, { id: 999_999 })).affected).to.equal(0);
      expect(await cells()).to.deep.equal([]);
      await update({ name: "m" });
      expect(await cells()).to.deep.equal([["update", "a", "m"]]);
    });

    it("fails as a whole when the outbox refuses it", async () => {
      await source.sql("ALTER TABLE lockstep.outbox RENAME TO elsewhere");
      const error = await errorOf(update({ name: "n" }));
      expect(isLockstepError(error, "OUTBOX_WRITE_FAILED"), String(error)).to.equal(true);
      expect(await names()).to.deep.equal([null, null]);
      await source.sql("ALTER TABLE lockstep.elsewhere RENAME TO outbox");
      await update({ name: "m" });
      expect(await cells()).to.deep.equal([["update", "a", "m"]]);
    });

    it("fails with the driver's own error when the update does", async () => {
      const error = await errorOf(update({ email: "b" }));
      expect(error).to.have.nested.property("driverError.code", "23505");
      await update({ email: "c" });
      expect(await cells()).to.deep.equal([["update", "c", null]]);
    });

    it("has the columns that the table has now", async () => {
      await source.sql("ALTER TABLE author ADD extra int DEFAULT 7");
      await update({ name: "n" });
      expect((await source.outbox()).map(({ op, image }) => [op, image?.at(-1)])).to.deep.equal([
        ["update", "7"],
      ]);
      await source.sql("ALTER TABLE author DROP extra");
    });

    it("follows a row to which a trigger gave another key", async () => {
      await source.sql(
        "CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := NEW.id + 1000; RETURN NEW; END $$",
      );
      await source.sql("CREATE TRIGGER moves BEFORE UPDATE ON author FOR EACH ROW EXECUTE FUNCTION moves()");
      await update({ name: "n" });
      expect((await source.outbox()).map(({ key }) => key)).to.deep.equal([[String(id + 1000)]]);
      await source.sql("DROP FUNCTION moves CASCADE");
    });

    it("is flushed behind when something in front of the driver takes the message apart", async () => {
      const runner = source.dataSource.createQueryRunner();
      const client = (await runner.connect()) as { query: (...given: unknown[]) => unknown };
      const query = client.query;
      client.query = (given: unknown, ...rest: unknown[]) => {
        if (typeof given === "string") return query.call(client, given, ...rest);
        const { text, values } = given as { text: string; values: unknown[] };
        return query.call(client, text, values);
      };
      await runner.manager.update(source.Author, { id }, { name: "n" });
      Reflect.deleteProperty(client, "query");
      await runner.release();
      expect(await cells()).to.deep.equal([["update", "a", "n"]]);
    });

    it("side by side on one runner", async () => {
      const runner = source.dataSource.createQueryRunner();
      const set = (name: string) => runner.manager.update(source.Author, { id }, { name });
      await Promise.all([
        set("1"),
        runner.query("SELECT 1"),
        set("2"),
        runner.query("SELECT $1::int", [2]),
        set("3"),
      ]);
      await runner.release();
      expect(await cells()).to.deep.equal(["1", "2", "3"].map((name) => ["update", "a", name]));
    });
  });
}
