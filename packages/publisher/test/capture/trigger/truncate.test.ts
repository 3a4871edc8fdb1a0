import { isLockstepError } from "@lockstep/core";
import { eventually, freshMariaDb, freshRedis, type FreshDatabase } from "@lockstep/testing";
import { expect } from "chai";
import { DataSource, EntitySchema } from "typeorm";
import { publishChanges, type PublishOptions, type Publisher } from "../../../src/index.js";

const item = new EntitySchema<{ id: number }>({
  name: "Item",
  columns: { id: { type: "int", primary: true } },
});
const silent = { debug() {}, info() {}, warn() {}, error() {} };

describe("TRUNCATE under triggers of MariaDB", () => {
  let database: FreshDatabase;
  let redis: FreshDatabase;
  let dataSource: DataSource;
  let publisher: Publisher | undefined;
  beforeEach(async () => {
    [database, redis] = await Promise.all([freshMariaDb(), freshRedis()]);
    dataSource = new DataSource({
      type: "mariadb",
      url: database.url,
      entities: [item],
      synchronize: true,
      extra: { multipleStatements: true },
    });
    await dataSource.initialize();
  });
  afterEach(async () => {
    await publisher?.close();
    await dataSource.destroy();
    await Promise.all([database.drop(), redis.drop()]);
  });

  const publish = async (options: Partial<PublishOptions> = {}): Promise<void> => {
    publisher = await publishChanges(dataSource, {
      redis: redis.url,
      source: "shop",
      capture: "trigger",
      relay: false,
      logger: silent,
      ...options,
    });
    await dataSource.manager.insert(item, { id: 1 });
  };
  const isRefused = async (work: () => Promise<unknown>): Promise<boolean> => {
    const error: unknown = await work().catch((e: unknown) => e);
    return isLockstepError(error, "CAPTURE_BLIND_WRITE");
  };

  it("is refused: clear(), by hand, behind other statements, under the database's name", async () => {
    await publish();
    const { database: name } = dataSource.driver;
    expect(await isRefused(() => dataSource.getRepository(item).clear())).to.equal(true);
    for (const sql of [
      "truncate item",
      "TRUNCATE TABLE `Item`",
      `truncate \`${name}\`.item`,
      "/* all */ truncate table item",
      "select 1; truncate item",
    ]) {
      expect(await isRefused(() => dataSource.query(sql))).to.equal(true, sql);
    }
    await dataSource.transaction(async (manager) => {
      expect(await isRefused(() => manager.clear(item))).to.equal(true);
    });
    expect(await dataSource.manager.count(item)).to.equal(1);
  });

  it("of other tables goes through, and so does what only speaks of it", async () => {
    await publish();
    await dataSource.query("create table other (id int primary key)");
    await dataSource.query("truncate other");
    await dataSource.query("select 'truncate item' as text, truncate(1.5, 0) as n");
    await dataSource.manager.delete(item, { id: 1 });
    const rows = await dataSource.query<{ op: string }[]>("select op from lockstep_outbox order by id");
    expect(rows.map(({ op }) => op)).to.deep.equal(["i", "d"]);
  });

  it("goes through with a warning where it is allowed, and once capture is uninstalled", async () => {
    const warned: string[] = [];
    const logger = { ...silent, warn: (_: object, message: string) => void warned.push(message) };
    await publish({ bulkWrites: "allow", logger });
    await dataSource.getRepository(item).clear();
    expect(publisher!.status().blindWrites).to.equal(1);
    await eventually(async () => warned.some((message) => message.includes("not captured")));
    await publisher!.uninstall();
    await dataSource.getRepository(item).clear();
    expect(publisher!.status().blindWrites).to.equal(0);
  });
});
