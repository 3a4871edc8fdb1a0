import fc from "fast-check";
import { type EntityManager, QueryFailedError } from "typeorm";
import { type Kind, Rig, type RigApp } from "./rig/rig.js";

const name = fc.integer({ min: 0, max: 5 }).map((n) => ["a", "B", "ä", "a ", "🎁", "'\"\\"][n]!);
const text = fc.oneof(
  fc.constant(null),
  fc.constant(""),
  fc.string({ unit: "grapheme", maxLength: 20 }).map((s) => s.replaceAll("\0", "")),
);
const product = fc.integer({ min: 1, max: 4 });

const step = fc.oneof(
  fc.record({ kind: fc.constant("saveTag" as const), name, text }),
  fc.record({ kind: fc.constant("upsertTag" as const), name, text }),
  fc.record({ kind: fc.constant("updateTag" as const), name, text }),
  fc.record({ kind: fc.constant("renameTag" as const), name, to: name }),
  fc.record({ kind: fc.constant("deleteTag" as const), name }),
  fc.record({
    kind: fc.constant("saveProduct" as const),
    product,
    text,
    names: fc.uniqueArray(name, { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("removeProduct" as const), product }),
  fc.record({ kind: fc.constant("stock" as const), product }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const block = fc.record({ steps: fc.array(step, { maxLength: 5 }), rollBack: fc.boolean() });
const transaction = fc.record({
  before: block,
  nested: fc.option(block),
  after: fc.array(step, { maxLength: 3 }),
});

class RollBack extends Error {}

async function take(manager: EntityManager, { entities }: RigApp, action: Step): Promise<void> {
  switch (action.kind) {
    case "saveTag":
      return void (await manager.save(entities.tag, { name: action.name, description: action.text }));
    case "upsertTag":
      return void (await manager.upsert(entities.tag, { name: action.name, description: action.text }, [
        "name",
      ]));
    case "updateTag":
      return void (await manager.update(entities.tag, { name: action.name }, { description: action.text }));
    case "renameTag": {
      const taken = await manager.existsBy(entities.tag, { name: action.to });
      if (!taken && !(await isUsed(manager, action.name)))
        await manager.update(entities.tag, { name: action.name }, { name: action.to });
      return;
    }
    case "deleteTag":
      if (!(await isUsed(manager, action.name))) await manager.delete(entities.tag, { name: action.name });
      return;
    case "saveProduct": {
      const tags = await manager.find(entities.tag);
      const chosen = tags.filter((tag) => action.names.includes(tag.name));
      const known = await manager.findOneBy(entities.product, { sku: skuOf(action.product) });
      await manager.save(entities.product, {
        ...(known === null ? {} : { id: known.id }),
        sku: skuOf(action.product),
        title: action.text ?? "-",
        price: "9.99",
        stock: 1,
        tags: chosen,
      });
      return;
    }
    case "removeProduct": {
      const found = await manager.findOne(entities.product, {
        where: { sku: skuOf(action.product) },
        relations: { tags: true },
      });
      if (found !== null) await manager.remove(entities.product, found);
      return;
    }
    case "stock":
      return void (await manager.increment(entities.product, { sku: skuOf(action.product) }, "stock", 3));
  }
}

async function isUsed(manager: EntityManager, tag: string): Promise<boolean> {
  const { driver } = manager.dataSource;
  const placeholder = driver.options.type === "postgres" ? "$1" : "?";
  const rows = await manager.query(
    `SELECT 1 FROM product_tags WHERE ${driver.escape("tagsName")} = ${placeholder}`,
    [tag],
  );
  return rows.length > 0;
}

async function run(
  app: RigApp,
  { before, nested, after }: typeof transaction extends fc.Arbitrary<infer T> ? T : never,
): Promise<void> {
  const work = async (manager: EntityManager) => {
    for (const action of before.steps) await take(manager, app, action);
    if (nested !== null) {
      const inner = async (savepoint: EntityManager) => {
        for (const action of nested.steps) await take(savepoint, app, action);
        if (nested.rollBack) throw new RollBack();
      };
      await manager.transaction(inner).catch(ignoreRollBack);
    }
    for (const action of after) await take(manager, app, action);
    if (before.rollBack) throw new RollBack();
  };
  await app.dataSource.transaction(work).catch(ignoreRollBack);
}

// What the source itself refuses (a name that is taken under its collation) is a transaction that is rolled back, too.
function ignoreRollBack(error: unknown): void {
  if (!(error instanceof RollBack) && !(error instanceof QueryFailedError)) throw error;
}

function skuOf(product: number): string {
  return `sku ${product}`;
}

describe("property: any sequence of writes converges", () => {
  for (const source of ["postgres", "mariadb"] satisfies Kind[]) {
    it(`${source} → postgres and mariadb`, async () => {
      await using rig = await Rig.open(source, { reporting: "postgres", warehouse: "mariadb" });
      await using app = await rig.openApp();
      await using _consumer = await rig.startConsumer();
      await rig.untilRegistered();
      const converges = fc.asyncProperty(
        fc.array(transaction, { minLength: 1, maxLength: 8 }),
        async (transactions) => {
          for (const one of transactions) await run(app, one);
          await rig.untilConverged();
        },
      );
      await fc.assert(converges, {
        numRuns: Number(process.env["LOCKSTEP_PROPERTY_RUNS"] ?? 25),
        endOnFailure: false,
      });
    }).timeout(240_000);
  }
});
