import { silentLogger } from "@lockstep/core";
import { publishChanges, type PublishOptions } from "@lockstep/publisher";
import { DataSource, EntitySchema, type EntityManager, type QueryRunner } from "typeorm";
import type { ColumnType, TypeTable } from "../column-type.js";

/** One type's table at the source. */
export interface TypeOnTrial {
  readonly name: string;
  readonly group: string;
  readonly type: ColumnType;
  /** Expressions by row id: the type's own, and NULL. */
  readonly values: ReadonlyMap<string, string>;
}

/** A table for every type, so that a type that stops something is known by name. */
export function tablesOf({ groups }: TypeTable): readonly TypeOnTrial[] {
  return groups
    .flatMap(({ title, types }) => types.map((type) => ({ group: title, type })))
    .map(({ group, type }, i) => ({
      name: `t${i}`,
      group,
      type,
      values: new Map([...type.values, "NULL"].map((value, n) => [String(n + 1), value])),
    }));
}

/** How the source's changes are captured. */
export type Capture = NonNullable<PublishOptions["capture"]>;

/** An application whose changes are captured. */
export interface ValueSource extends AsyncDisposable {
  /** Inserts every value of these tables, in one transaction. */
  insert(tables: readonly TypeOnTrial[]): Promise<void>;
  /** Changes every row of these tables in one transaction, and leaves the values as they are. */
  touch(tables: readonly TypeOnTrial[]): Promise<void>;
  /** Inserts a row that says that everything before has been written. */
  mark(id: number): Promise<void>;
}

/** The name under which lanes know the source. */
export const sourceName = "values";

/** Makes the tables, starts capture and relay in this process. */
export async function openSource(
  url: string,
  redis: string,
  capture: Capture,
  tables: readonly TypeOnTrial[],
): Promise<ValueSource> {
  const entities = [...tables.map(({ name }) => entity(name)), entity("marker")];
  const type = url.startsWith("postgres") ? "postgres" : "mariadb";
  const dataSource = await new DataSource({ type, url, entities }).initialize();
  const runner = dataSource.createQueryRunner();
  // Without strict mode: what such an application writes has to arrive, too.
  if (type === "mariadb") await runner.query("SET sql_mode = '', time_zone = '+00:00'");
  for (const { name, type } of tables) {
    for (const statement of type.setup ?? []) await runner.query(statement);
    await runner.query(`create table ${name} (id int primary key, v ${type.type}, touched int)`);
  }
  await runner.query("create table marker (id int primary key, v int, touched int)");
  const publisher = await publishChanges(dataSource, {
    redis,
    source: sourceName,
    capture,
    logger: silentLogger,
  });
  return {
    insert: (written) => inTransaction(runner, written, insertAll),
    touch: (written) => inTransaction(runner, written, touchAll),
    mark: async (id) => void (await runner.manager.insert("marker", { id })),
    async [Symbol.asyncDispose]() {
      await publisher.close();
      await runner.release();
      await dataSource.destroy();
    },
  };
}

function entity(name: string): EntitySchema {
  // Only the key is known to the mapping: images come from the database, whatever TypeORM knows of a column.
  return new EntitySchema({
    name,
    tableName: name,
    columns: {
      id: { type: "int", primary: true },
      v: { type: "text", nullable: true },
      touched: { type: "int", nullable: true },
    },
  });
}

async function inTransaction(
  runner: QueryRunner,
  tables: readonly TypeOnTrial[],
  work: (manager: EntityManager, table: TypeOnTrial) => Promise<unknown>,
): Promise<void> {
  await runner.manager.transaction(async (manager) => {
    for (const table of tables) {
      await work(manager, table).catch((cause: unknown) => {
        throw new Error(`the source refuses the values of ${table.type.type}`, { cause });
      });
    }
  });
}

function insertAll(manager: EntityManager, { name, values }: TypeOnTrial): Promise<unknown> {
  const rows = [...values].map(([id, value]) => ({ id: Number(id), v: () => value }));
  return manager.createQueryBuilder().insert().into(name).values(rows).execute();
}

function touchAll(manager: EntityManager, { name }: TypeOnTrial): Promise<unknown> {
  return manager
    .createQueryBuilder()
    .update(name)
    .set({ touched: () => "coalesce(touched, 0) + 1" })
    .execute();
}
