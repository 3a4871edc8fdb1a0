import { publishChanges, type Publisher, type PublishOptions } from "@lockstep/publisher";
import { DataSource } from "typeorm";
import { entityList, type ShopEntities, shopEntities } from "../entities.js";
import { Shop } from "../shop.js";
import type { DemoServers } from "./servers.js";
import { Watch } from "./watch.js";

/** The shop on the demo's source, and who watches its lanes. Disposing closes all of it. */
export interface OpenShop extends AsyncDisposable {
  readonly dataSource: DataSource;
  readonly entities: ShopEntities;
  readonly shop: Shop;
  readonly watch: Watch;
  /** Publishes what the shop writes from now on; returns when both targets listen: rows that are older than a target's registration are not in its stream. */
  publish(options?: Partial<PublishOptions>): Promise<Publisher>;
}

/** Makes the shop's tables. */
export async function openShop({ source, redis }: DemoServers): Promise<OpenShop> {
  const entities = shopEntities("postgres");
  const dataSource = await new DataSource({
    type: "postgres",
    url: source,
    entities: entityList(entities),
    synchronize: true,
  }).initialize();
  const watch = new Watch(redis, "shop");
  let publisher: Publisher | undefined;
  return {
    dataSource,
    entities,
    shop: new Shop(dataSource, entities),
    watch,
    async publish(options = {}) {
      publisher = await publishChanges(dataSource, { redis, source: "shop", ...options });
      await watch.untilLanesRun(2, 60_000);
      return publisher;
    },
    async [Symbol.asyncDispose]() {
      await publisher?.close();
      await watch.close();
      await dataSource.destroy();
    },
  };
}
