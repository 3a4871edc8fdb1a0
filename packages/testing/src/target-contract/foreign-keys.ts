import { expect } from "chai";
import type { ContractContext } from "./contract-context.js";
import { openLane } from "./contract-lane.js";
import { contractTable } from "./contract-table.js";
import { rejection } from "./rejection.js";

/** Foreign keys of the target: they hold, are told apart, and never change a row by themselves. */
export function foreignKeysContract(context: ContractContext): void {
  it("knows which tables a table's foreign keys point to", async () => {
    const parent = contractTable(context.fixture, "fk_parent", { id: "integer" });
    const child = contractTable(
      context.fixture,
      "fk_child",
      { id: "integer", parent_id: "integer", reply_to: "integer" },
      {
        foreignKeys: [
          { column: "parent_id", parent: "fk_parent" },
          { column: "reply_to", parent: "fk_child" },
        ],
      },
    );
    await parent.create();
    await child.create();
    const lane = await openLane(await context.target(), "fk-known");
    const [parents, children] = [await lane.table(parent), await lane.table(child)];
    expect(parents).deep.include({ parents: [], selfReferencing: false, hasSecondaryUnique: false });
    expect(children).deep.include({ parents: [parent.id], selfReferencing: true, hasSecondaryUnique: false });
    await lane.close();
  });

  it("names the parents that a refused row lacks", async () => {
    const parent = contractTable(context.fixture, "lacking_parent", { id: "integer" });
    const child = contractTable(
      context.fixture,
      "lacking_child",
      { id: "integer", parent_id: "integer" },
      { foreignKeys: [{ column: "parent_id", parent: "lacking_parent" }] },
    );
    await parent.create();
    await child.create();
    const target = await context.target();
    const lane = await openLane(target, "fk-lacking");
    const [parents, children] = await lane.session.tables([parent.schema, child.schema]);
    let missing: unknown;
    await lane.step(async (transaction) => {
      await transaction.upsert(parents!, [parent.row("1")]);
      const row = child.row("1", "2");
      const error = await rejection(transaction.savepoint(() => transaction.upsert(children!, [row])));
      expect(target.classify(error)).deep.include({ kind: "row", code: "TARGET_FOREIGN_KEY" });
      missing = await transaction.missingParents(children!, row);
      expect(await transaction.missingParents(children!, child.row("1", "1"))).deep.equal([]);
      expect(await transaction.missingParents(children!, child.row("1", null))).deep.equal([]);
      expect(await transaction.missingParents(children!, child.row("1", 0))).deep.equal([]);
    });
    expect(missing).deep.equal([{ table: parent.id, key: parent.key("2") }]);
    await lane.close();
  });

  it("writes parents before children and deletes children before parents", async () => {
    const parent = contractTable(context.fixture, "order_parent", { id: "integer" });
    const child = contractTable(
      context.fixture,
      "order_child",
      { id: "integer", parent_id: "integer" },
      { foreignKeys: [{ column: "parent_id", parent: "order_parent" }] },
    );
    await parent.create();
    await child.create();
    const target = await context.target();
    const lane = await openLane(target, "fk-order");
    const [parents, children] = [await lane.table(parent), await lane.table(child)];
    await lane.step(async (transaction) => {
      await transaction.upsert(parents, [parent.row("1")]);
      await transaction.upsert(children, [child.row("1", "1")]);
    });
    const error = await rejection(lane.step((transaction) => transaction.remove(parents, [parent.key("1")])));
    expect(target.classify(error)).deep.include({ kind: "row", code: "TARGET_FOREIGN_KEY" });
    await lane.step(async (transaction) => {
      await transaction.remove(children, [child.key("1")]);
      await transaction.remove(parents, [parent.key("1")]);
    });
    expect(await parent.rows()).deep.equal([]);
    await lane.close();
  });

  for (const onDelete of ["cascade", "set null"] as const) {
    it(`refuses a delete that the target would pass on by ON DELETE ${onDelete.toUpperCase()}`, async () => {
      const suffix = onDelete.replace(" ", "_");
      const parent = contractTable(context.fixture, `gone_parent_${suffix}`, { id: "integer" });
      const child = contractTable(
        context.fixture,
        `gone_child_${suffix}`,
        { id: "integer", parent_id: "integer" },
        { foreignKeys: [{ column: "parent_id", parent: parent.name, onDelete }] },
      );
      await parent.create();
      await child.create();
      const target = await context.target();
      const lane = await openLane(target, `fk-${suffix}`);
      const [parents, children] = [await lane.table(parent), await lane.table(child)];
      await lane.step(async (transaction) => {
        await transaction.upsert(parents, [parent.row("1"), parent.row("2")]);
        await transaction.upsert(children, [child.row("10", "1")]);
      });
      for (const work of ["remove", "truncate"] as const) {
        const error = await rejection(
          lane.step((transaction) =>
            work === "remove"
              ? transaction.remove(parents, [parent.key("1"), parent.key("2")])
              : transaction.truncate(parents),
          ),
        );
        expect(target.classify(error)).deep.include({ kind: "row", code: "TARGET_WOULD_CASCADE" });
      }
      expect(await child.rows()).deep.equal([["10", "1"]]);
      await lane.step(async (transaction) => {
        await transaction.remove(parents, [parent.key("2")]);
        await transaction.remove(children, [child.key("10")]);
        await transaction.remove(parents, [parent.key("1")]);
      });
      expect(await parent.rows()).deep.equal([]);
      await lane.close();
    });
  }

  it("deletes a tree of one table at once, and refuses a part of it that would cascade", async () => {
    const table = contractTable(
      context.fixture,
      "tree",
      { id: "integer", parent_id: "integer" },
      { foreignKeys: [{ column: "parent_id", parent: "tree", onDelete: "cascade" }] },
    );
    await table.create();
    const target = await context.target();
    const lane = await openLane(target, "fk-tree");
    const tree = await lane.table(table);
    await lane.step((transaction) =>
      transaction.upsert(tree, [table.row("1", null), table.row("2", "1"), table.row("3", "2")]),
    );
    const error = await rejection(
      lane.step((transaction) => transaction.remove(tree, [table.key("1"), table.key("2")])),
    );
    expect(target.classify(error)).deep.include({ kind: "row", code: "TARGET_WOULD_CASCADE" });
    expect(await table.rows()).length(3);
    await lane.step((transaction) =>
      transaction.remove(tree, [table.key("1"), table.key("2"), table.key("3")]),
    );
    expect(await table.rows()).deep.equal([]);
    await lane.close();
  });

  it("empties tables children first", async () => {
    const parent = contractTable(context.fixture, "empty_parent", { id: "integer" });
    const child = contractTable(
      context.fixture,
      "empty_child",
      { id: "integer", parent_id: "integer" },
      { foreignKeys: [{ column: "parent_id", parent: "empty_parent", onDelete: "cascade" }] },
    );
    await parent.create();
    await child.create();
    const lane = await openLane(await context.target(), "fk-empty");
    const [parents, children] = [await lane.table(parent), await lane.table(child)];
    await lane.step(async (transaction) => {
      await transaction.upsert(parents, [parent.row("1")]);
      await transaction.upsert(children, [child.row("1", "1")]);
    });
    await lane.step(async (transaction) => {
      await transaction.truncate(children);
      await transaction.truncate(parents);
    });
    expect(await parent.rows()).deep.equal([]);
    expect(await child.rows()).deep.equal([]);
    await lane.close();
  });

  it("empties a share that only points to itself, and refuses one whose rows another row would follow or miss", async () => {
    for (const [onDelete, code] of [
      ["cascade", "TARGET_WOULD_CASCADE"],
      [undefined, "TARGET_FOREIGN_KEY"],
    ] as const) {
      const parent = contractTable(context.fixture, `share_of_${onDelete ?? "none"}`, {
        id: "integer",
        origin: "string",
      });
      const child = contractTable(
        context.fixture,
        `share_child_${onDelete ?? "none"}`,
        { id: "integer", parent_id: "integer" },
        {
          foreignKeys: [
            { column: "parent_id", parent: parent.name, ...(onDelete === undefined ? {} : { onDelete }) },
          ],
        },
      );
      await parent.create();
      await child.create();
      const target = await context.target();
      const lane = await openLane(target, `fk-share-${code}`);
      const [parents, children] = [await lane.table(parent), await lane.table(child)];
      await lane.step(async (transaction) => {
        await transaction.upsert(parents, [parent.row("1", "a"), parent.row("2", "b"), parent.row("3", "b")]);
        await transaction.upsert(children, [child.row("10", "1")]);
      });
      const error = await rejection(
        lane.step((transaction) => transaction.truncate(parents, { origin: "a" })),
      );
      expect(target.classify(error)).deep.include({ kind: "row", code });
      await lane.step((transaction) => transaction.truncate(parents, { origin: "b" }));
      expect(await parent.rows()).deep.equal([["1", "a"]]);
      await lane.close();
    }
  });

  it("empties a share of a table whose rows point to each other", async () => {
    const table = contractTable(
      context.fixture,
      "share_tree",
      { id: "integer", parent_id: "integer", origin: "string" },
      { foreignKeys: [{ column: "parent_id", parent: "share_tree" }] },
    );
    await table.create();
    const target = await context.target();
    const lane = await openLane(target, "fk-share-tree");
    const tree = await lane.table(table);
    await lane.step((transaction) =>
      transaction.upsert(tree, [
        table.row("1", null, "a"),
        table.row("2", "1", "a"),
        table.row("3", "3", "b"),
      ]),
    );
    await lane.step((transaction) => transaction.truncate(tree, { origin: "a" }));
    expect(await table.rows()).deep.equal([["3", "3", "b"]]);
    await lane.step((transaction) => transaction.upsert(tree, [table.row("4", "3", "a")]));
    const error = await rejection(lane.step((transaction) => transaction.truncate(tree, { origin: "b" })));
    expect(target.classify(error)).deep.include({ kind: "row", code: "TARGET_FOREIGN_KEY" });
    await lane.close();
  });
}
