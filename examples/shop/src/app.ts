import { publishChanges } from "@lockstep/publisher";
import { DataSource } from "typeorm";
import { entityList, shopEntities } from "./entities.js";
import { runLoad } from "./load.js";
import { Shop } from "./shop.js";

/**
 * The shop as a process of its own: `DATABASE_URL` and `REDIS_URL` say where, `SHOP_SECONDS` and `SHOP_RATE` how long and how fast it writes.
 * Says `open` on stdout when the doors open and `closed` when it has ended by itself.
 */
const { DATABASE_URL, REDIS_URL, SHOP_SECONDS = "10", SHOP_RATE = "100" } = process.env;
if (DATABASE_URL === undefined || REDIS_URL === undefined)
  throw new Error("DATABASE_URL and REDIS_URL must be set");

const type = DATABASE_URL.startsWith("postgres") ? "postgres" : "mariadb";
const entities = shopEntities(type === "postgres" ? "postgres" : "mysql");
const dataSource = await new DataSource({
  type,
  url: DATABASE_URL,
  entities: entityList(entities),
  synchronize: true,
}).initialize();
const lockstep = await publishChanges(dataSource, { redis: REDIS_URL, source: "shop" });

const shop = new Shop(dataSource, entities);
await shop.open(40, 30);
process.stdout.write("open\n");
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
await runLoad(shop, { seconds: Number(SHOP_SECONDS), rate: Number(SHOP_RATE), signal: stop.signal });

await lockstep.close();
await dataSource.destroy();
process.stdout.write("closed\n");
