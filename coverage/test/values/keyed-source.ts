import { silentLogger } from "@lockstep/core";
import { publishChanges } from "@lockstep/publisher";
import { DataSource, EntitySchema } from "typeorm";
import type { ColumnType } from "../../src/values/column-type.js";
import { type Capture, sourceName } from "../../src/values/run/source.js";

/** A type's table whose primary key is the value. */
export interface KeyedTable {
  readonly name: string;
  readonly type: ColumnType;
  /** Expressions that the source takes for keys, no two of them equal, by the row's number. */
  readonly keys: ReadonlyMap<number, string>;
}

/** An application with such tables. */
export interface KeyedSource extends AsyncDisposable {
  readonly tables: readonly KeyedTable[];
  /** Inserts all rows, changes all of them, removes those with an even number; a transaction each. */
  write(): Promise<void>;
}

/** Tables for the types that the source takes for keys, and capture on them. */
export async function openKeyedSource(
  url: string,
  redis: string,
  capture: Capture,
  types: readonly ColumnType[],
): Promise<KeyedSource> {
  const type = url.startsWith("postgres") ? "postgres" : "mariadb";
  const trial = await new DataSource({ type, url }).initialize();
  const runner = trial.createQueryRunner();
  if (type === "mariadb") await runner.query("SET sql_mode = '', time_zone = '+00:00'");
  const tables: KeyedTable[] = [];
  const takes = (sql: string): Promise<boolean> =>
    runner.query(sql).then(
      () => true,
      () => false,
    );
  for (const [i, one] of types.entries()) {
    for (const statement of one.setup ?? []) await runner.query(statement);
    const name = `k${i}`;
    if (
      !(await takes(
        `create table ${name} (v ${one.type.replace(/ null$/, "")} primary key, id int, touched int)`,
      ))
    )
      continue;
    const keys = new Map<number, string>();
    for (const value of one.values) {
      const id = keys.size + 1;
      if (await takes(`insert into ${name} values (${value}, ${id}, 0)`)) keys.set(id, value);
    }
    // Of some types (json[]) a table may be made, and no two values compared.
    const comparable = await takes(`select v from ${name} order by v`);
    await runner.query(`delete from ${name}`);
    if (comparable && keys.size > 0) tables.push({ name, type: one, keys });
  }
  await runner.query("create table marker (id int primary key, v int, touched int)");
  await runner.release();
  await trial.destroy();
  return follow(
    { type, url, entities: [...tables.map(({ name }) => entity(name, "v")), entity("marker", "id")] },
    redis,
    capture,
    tables,
  );
}

async function follow(
  options: { readonly type: "postgres" | "mariadb"; readonly url: string; readonly entities: EntitySchema[] },
  redis: string,
  capture: Capture,
  tables: readonly KeyedTable[],
): Promise<KeyedSource> {
  const dataSource = await new DataSource(options).initialize();
  const publisher = await publishChanges(dataSource, {
    redis,
    source: sourceName,
    capture,
    logger: silentLogger,
  });
  const runner = dataSource.createQueryRunner();
  if (options.type === "mariadb") await runner.query("SET sql_mode = '', time_zone = '+00:00'");
  const { manager } = runner;
  const query = () => manager.createQueryBuilder();
  const each = (work: (table: KeyedTable) => Promise<unknown>): Promise<void> =>
    manager.transaction(async () => {
      for (const table of tables) await work(table);
    });
  return {
    tables,
    async write() {
      await each(({ name, keys }) => {
        const rows = [...keys].map(([id, value]) => ({ v: () => value, id, touched: 0 }));
        return query().insert().into(name).values(rows).execute();
      });
      await each(({ name }) => query().update(name).set({ touched: 1 }).execute());
      await each(({ name }) => query().delete().from(name).where("id % 2 = 0").execute());
      await manager.insert("marker", { id: 1 });
    },
    async [Symbol.asyncDispose]() {
      await publisher.close();
      await runner.release();
      await dataSource.destroy();
    },
  };
}

function entity(name: string, key: "v" | "id"): EntitySchema {
  return new EntitySchema({
    name,
    tableName: name,
    columns: {
      id: { type: "int", primary: key === "id" },
      v: { type: "text", primary: key === "v" },
      touched: { type: "int", nullable: true },
    },
  });
}
