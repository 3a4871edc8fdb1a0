import { expect } from "chai";
import { type DriverType, openSource, type Source } from "../../support/open-source.js";
import { keyedTables } from "../../support/oracle.js";
import { contents, liveRows, replay } from "../../support/replay.js";

for (const type of ["postgres", "mariadb", "mysql"] as const satisfies readonly DriverType[]) {
  describe(`rows that foreign keys change: ${type}`, () => {
    let source: Source;

    beforeEach(async () => {
      source = await openSource(type);
      const { manager } = source.dataSource;
      await manager.insert(source.Maker, [{ code: "a" }, { code: "b" }]);
      await manager.insert(source.Model, [
        { makerCode: "a", name: "one" },
        { makerCode: "a", name: "two" },
        { makerCode: "b", name: "one" },
      ]);
      await manager.insert(source.Part, [
        { id: 9007199254740993n as unknown as number, model: { makerCode: "a", name: "one" } },
        { id: 2, model: { makerCode: "a", name: "two" } },
        { id: 3, model: { makerCode: "b", name: "one" } },
      ]);
      await manager.insert(source.Branch, [{ id: 1 }]);
      for (const [id, parent] of [
        [2, 1],
        [3, 2],
        [4, 3],
        [5, 1],
      ] as const) {
        await manager.insert(source.Branch, { id, parent: { id: parent } });
      }
    });
    afterEach(() => source.close());

    const converges = async () => {
      const live = liveRows(replay(await source.outbox()));
      expect(live).to.deep.equal(await contents(source, keyedTables(source)));
    };

    it("a delete by criteria goes down, and sets NULL further down", async () => {
      await source.dataSource.manager.delete(source.Maker, { code: "a" });
      expect(
        await source.sql(
          'SELECT id FROM part WHERE "modelName" IS NULL'.replaceAll('"', type === "postgres" ? '"' : "`"),
        ),
      ).to.have.length(2);
      await converges();
    });

    it("a remove of an entity", async () => {
      await source.dataSource.manager.remove(await source.dataSource.manager.find(source.Maker));
      await converges();
    });

    it("a delete of a tree", async () => {
      await source.dataSource.manager.delete(source.Branch, 1);
      expect(await source.sql("SELECT id FROM branch")).to.have.length(0);
      await converges();
    });

    it("a changed key moves the children, whose own keys hold it", async () => {
      await source.dataSource.manager.update(source.Maker, { code: "a" }, { code: "z" });
      expect(
        await source.sql(
          "SELECT name FROM model WHERE " + (type === "postgres" ? '"makerCode"' : "makerCode") + " = 'z'",
        ),
      ).to.have.length(2);
      await converges();
    });

    it("in a transaction with a savepoint that is rolled back", async () => {
      await source.dataSource.manager.transaction(async (tx) => {
        await tx
          .transaction(async (inner) => {
            await inner.delete(source.Maker, { code: "a" });
            throw new Error("no");
          })
          .catch(() => undefined);
        await tx.delete(source.Maker, { code: "b" });
      });
      await converges();
      expect(replay(await source.outbox()).get('maker ["a"]')).to.not.equal(undefined);
    });
  });

  describe(`foreign keys that lead through tables left out: ${type}`, () => {
    it("are followed", async () => {
      const source = await openSource(type, { settings: { exclude: ["Model"] } });
      try {
        const { manager } = source.dataSource;
        await manager.insert(source.Maker, { code: "a" });
        await manager.insert(source.Model, { makerCode: "a", name: "one" });
        await manager.insert(source.Part, { id: 1, model: { makerCode: "a", name: "one" } });
        await source.emptyOutbox();
        await manager.delete(source.Maker, { code: "a" });
        const told = (await source.outbox()).map(({ table, op, image }) => [table, op === "delete", image]);
        expect(told).to.have.deep.members([
          ["maker", true, undefined],
          ["part", false, ["1", null, null]],
        ]);
      } finally {
        await source.close();
      }
    });
  });
}
