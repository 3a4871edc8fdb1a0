import { type Logger, silentLogger } from "@lockstep/core";
import { mysqlChangeLog, postgresChangeLog } from "@lockstep/outbox";
import { publishChanges, type PublishOptions, type Publisher } from "@lockstep/publisher";
import { freshMariaDb, freshPostgres } from "@lockstep/testing";
import type { DataSource, DataSourceOptions } from "typeorm";
import { allEntities, type Entities } from "../entities/index.js";
import { type Events, followEvents } from "./events.js";
import { prepareDatabase, type DatabasePart } from "./prepare-database.js";
import { openSide, type SideConnection } from "./side-connection.js";
import { type Tables, tablesOf } from "./tables.js";
import { type Column, type DriverType, type TypeOrm, typeOrmVersions } from "./typeorm-versions.js";

/** One DataSource of the application, captured. */
interface Door {
  readonly dataSource: DataSource;
  readonly publisher: Publisher;
}

/** The DataSources of one application: they differ in options, all on one database. */
export type DoorName = keyof typeof doors;

/** An application of one column of the matrix, with capture installed by `publishChanges`. */
export interface App {
  readonly orm: TypeOrm;
  readonly driver: DriverType;
  readonly entities: Entities;
  readonly doors: Readonly<Record<DoorName, Door>>;
  readonly tables: Tables;
  readonly events: Events;
  /** Another program. */
  readonly side: SideConnection;
  close(): Promise<void>;
}

interface DoorChoice {
  readonly options?: (url: string, driver: DriverType) => object;
  readonly publish?: Partial<PublishOptions>;
}

const doors = {
  plain: {},
  replicated: {
    options: (url) => ({ url: undefined, replication: { master: { url }, slaves: [{ url }] } }),
  },
  single: {
    options: (_, driver) => ({
      poolSize: 1,
      extra: driver === "postgres" ? { max: 1 } : { connectionLimit: 1 },
    }),
  },
  strict: { publish: { onBlindWrite: "error" } },
  lenient: { publish: { bulkWrites: "allow" } },
} as const satisfies Readonly<Record<string, DoorChoice>>;

/** Makes a database with every table of the matrix and an application that is captured. */
export async function openApp({ version, driver }: Column): Promise<App> {
  const orm: TypeOrm = typeOrmVersions[version];
  const entities = allEntities(orm, driver);
  const database = await (driver === "postgres" ? freshPostgres() : freshMariaDb());
  const side = await openSide(database.url);
  const prepare = (part: DatabasePart) => prepareDatabase(side, driver, part);
  await prepare("before tables");
  const open = async (choice: DoorChoice, synchronize: boolean): Promise<Door> => {
    const dataSource = new orm.DataSource({
      type: driver,
      url: database.url,
      entities: Object.values(entities),
      synchronize,
      ...choice.options?.(database.url, driver),
    } as unknown as DataSourceOptions);
    await dataSource.initialize();
    if (synchronize) await prepare("after tables");
    const publisher = await publishChanges(dataSource, {
      redis: "redis://127.0.0.1:1",
      relay: false,
      logger: silent,
      ...choice.publish,
    });
    return { dataSource, publisher };
  };
  const opened: Partial<Record<DoorName, Door>> = {};
  for (const [name, choice] of Object.entries(doors))
    opened[name as DoorName] = await open(choice, name === "plain");
  const all = opened as Record<DoorName, Door>;
  const connection = database.url;
  const log =
    driver === "postgres"
      ? postgresChangeLog({ connection, source: "coverage" })
      : mysqlChangeLog({ connection, source: "coverage" });
  const app: App = {
    orm,
    driver,
    entities,
    doors: all,
    side,
    tables: await tablesOf(all.plain.dataSource, driver, side),
    events: await followEvents(log),
    async close() {
      for (const { dataSource, publisher } of Object.values(all)) {
        await publisher.uninstall();
        await dataSource.destroy();
      }
      await log.close();
      await side.close();
      await database.drop();
    },
  };
  entities.Active.useDataSource(all.plain.dataSource);
  return app;
}

const silent: Logger = silentLogger;
