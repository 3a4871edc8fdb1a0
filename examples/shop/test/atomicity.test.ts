import { openSide } from "@lockstep/testing";
import { expect } from "chai";
import { type Kind, Rig } from "./rig/rig.js";

const kinds: readonly Kind[] = ["postgres", "mariadb"];

describe("a reader of the target", () => {
  it("never sees half a transaction (postgres, mariadb)", async () => {
    await using rig = await Rig.open("postgres", { postgres: "postgres", mariadb: "mariadb" });
    await using app = await rig.openApp();
    await using _consumer = await rig.startConsumer();
    await rig.untilRegistered();
    await app.shop.open(1, 10);
    await rig.untilConverged();

    const products = await app.dataSource.getRepository(app.entities.product).find();
    const total = products.reduce((sum, product) => sum + product.stock, 0);
    const seen = new Map<Kind, Set<string>>(kinds.map((kind) => [kind, new Set()]));
    // A reader that saw one state only would have proven nothing.
    const hasSeenLittle = (): boolean => [...seen.values()].some(({ size }) => size <= 3);
    let moving = true;
    const moves = (async () => {
      for (let n = 0; n < 300 || hasSeenLittle(); n++) {
        const [from, to] = [products[n % 10]!, products[(n * 7 + 3) % 10]!];
        await app.dataSource.transaction(async (manager) => {
          await manager.decrement(app.entities.product, { id: from.id }, "stock", 5);
          await manager.increment(app.entities.product, { id: to.id }, "stock", 5);
        });
      }
      moving = false;
    })();

    const watch = async (kind: Kind): Promise<void> => {
      await using reader = await openSide(rig.targets[kind]!.url);
      for (let reads = 0; moving || reads < 50; reads++) {
        const [row] = await reader.query(stateQuery(kind));
        expect(Number(row!["total"]), kind).to.equal(total);
        seen.get(kind)!.add(String(row!["state"]));
      }
    };
    await Promise.all([moves, ...kinds.map(watch)]);
    await rig.untilConverged();
  });
});

function stateQuery(kind: Kind): string {
  const joined =
    kind === "postgres" ? "string_agg(stock::text, ',' ORDER BY id)" : "group_concat(stock ORDER BY id)";
  return `SELECT sum(stock) AS total, ${joined} AS state FROM products`;
}
