import { expect } from "chai";
import type { EntityManager } from "typeorm";
import { listening } from "../../support/listening.js";
import { openSource, type Source } from "../../support/open-source.js";
import { typeOrmVersions } from "../../support/typeorm-versions.js";

for (const version of Object.keys(typeOrmVersions)) {
  describe(`keys that INSERTs give, on PostgreSQL: typeorm ${version}`, () => {
    let source: Source;
    const sent: string[] = [];
    before(async () => {
      source = await openSource("postgres", { version, options: { logging: true, logger: listening(sent) } });
      await source.sql(`CREATE FUNCTION moves() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN NEW.slug := NEW.slug || '!'; RETURN NEW; END $$`);
    });
    after(() => source.close());
    beforeEach(async () => {
      await source.sql("DROP TRIGGER IF EXISTS moves ON tag");
      await source.sql("DELETE FROM tag");
      await source.emptyOutbox();
      sent.length = 0;
    });

    const trigger = "CREATE TRIGGER moves BEFORE INSERT ON tag FOR EACH ROW EXECUTE FUNCTION moves()";
    const save = (manager: EntityManager, ...slugs: string[]) =>
      slugs.reduce<Promise<unknown>>(
        (before, slug) => before.then(() => manager.save(source.Tag, { slug, label: "l" })),
        Promise.resolve(),
      );
    const keys = async () => (await source.outbox()).map(({ key }) => key.join());
    const asked = () =>
      sent.filter((sql) => sql.startsWith("INSERT")).map((sql) => sql.includes("RETURNING"));

    it("are enough once the server has said that it keeps them, in each transaction anew", async () => {
      for (const part of ["a", "b"])
        await source.dataSource.transaction(async (manager) => {
          await save(manager, `${part}1`, `${part}2`, `${part}3`, `${part}4`);
          await manager.save(source.Line, { orderNo: 1, sku: part, quantity: 1 });
        });
      expect(await keys()).to.deep.equal(["a1", "a2", "a3", "a4", "1,a", "b1", "b2", "b3", "b4", "1,b"]);
      expect((await source.outbox())[3]).to.deep.include({ op: "insert", image: ["a4", "l"] });
      // The second one asks at once.
      expect(asked()).to.deep.equal([true, true, false, false, true, true, false, false, false, true]);
    });

    it("give TypeORM what it gets without capture", async () => {
      await source.dataSource.transaction(async (manager) => {
        const results = [];
        for (const slug of ["a", "b", "c"])
          results.push(await manager.insert(source.Tag, { slug, label: "l" }));
        const shown = results.map(({ raw, identifiers }) => ({ raw: raw as unknown, identifiers }));
        expect(shown).to.deep.equal(["a", "b", "c"].map((slug) => ({ raw: [], identifiers: [{ slug }] })));
      });
    });

    it("are followed by what else happens to their rows", async () => {
      await source.dataSource.transaction(async (manager) => {
        await save(manager, "a", "b", "c", "d");
        await manager.update(source.Tag, { slug: "c" }, { slug: "e" });
        await manager.delete(source.Tag, { slug: "d" });
      });
      expect(await keys()).to.deep.equal(["a", "b", "e"]);
    });

    it("are not believed where a trigger gives others", async () => {
      await source.sql(trigger);
      await source.dataSource.transaction((manager) => save(manager, "a", "b", "c", "d"));
      expect(await keys()).to.deep.equal(["a!", "b!", "c!", "d!"]);
    });

    it("are not believed any longer once a savepoint is undone: a trigger may have come when its locks went", async () => {
      await source.dataSource.transaction(async (manager) => {
        await manager
          .transaction(async (inner) => {
            await save(inner, "a", "b", "c");
            throw new Error("undone");
          })
          .catch(() => undefined);
        await source.sql(trigger);
        await save(manager, "d", "e", "f");
      });
      expect(await keys()).to.deep.equal(["d!", "e!", "f!"]);
    });

    it("are not believed any longer once the transaction itself has sent a definition", async () => {
      for (const definition of [trigger, `DO $$ BEGIN ${trigger}; END $$`]) {
        await source.dataSource.transaction(async (manager) => {
          await save(manager, "a", "b", "c");
          await manager.query(definition);
          await save(manager, "d", "e", "f");
          await manager.query("DROP TRIGGER moves ON tag");
        });
        expect(await keys()).to.deep.equal(["a", "b", "c", "d!", "e!", "f!"]);
        await source.sql("DELETE FROM tag");
        await source.emptyOutbox();
      }
    });

    it("are not believed where the catalog may be an older one", async () => {
      await source.dataSource.transaction("REPEATABLE READ", async (manager) => {
        await manager.query("SELECT 1");
        await source.sql(trigger);
        await save(manager, "a", "b", "c");
      });
      expect(await keys()).to.deep.equal(["a!", "b!", "c!"]);
    });

    it("hold for writes that are sent side by side, too", async () => {
      await source.dataSource.transaction((manager) =>
        Promise.all(["a", "b", "c", "d"].map((slug) => manager.insert(source.Tag, { slug, label: "l" }))),
      );
      expect(await keys()).to.deep.equal(["a", "b", "c", "d"]);
    });
  });
}
