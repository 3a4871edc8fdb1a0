import {
  type Engine,
  type OutboxWriter,
  type RowNote,
  type RunStatement,
  type TableSchema,
  tableId,
} from "@lockstep/core";
import { Cascades } from "./cascades.js";
import { activeForeignKeys } from "./catalog/foreign-keys.js";
import { primaryKeys } from "./catalog/primary-keys.js";
import { keyFacts } from "./catalog/exact-keys.js";
import { existingTables, type TableName } from "./catalog/existing-tables.js";
import { type MysqlTableFacts, mysqlTableFacts } from "./catalog/mysql-table-facts.js";
import { type KeyColumn, keyColumnsOf, keyList } from "./key-text.js";

/** What capture knows of a table it captures. */
export interface CapturedTable {
  readonly table: RowNote["table"];
  readonly keys: readonly KeyColumn[];
  /** The {@link keyList} of its keys. */
  readonly keyList: string;
  readonly schema: TableSchema;
  /** Columns of the key of whose values the database takes no two for the same: what is equal is equal as a text. */
  readonly exactKeys: ReadonlySet<string>;
  readonly isPartitioned: boolean;
  /** MySQL and MariaDB: what identifies a row where the server doesn't say. */
  readonly mysql?: MysqlTableFacts;
}

/** A table that an entity maps, by TypeORM's path of it. */
export interface MappedTable extends TableName {
  readonly path: string;
}

/**
 * The tables that one DataSource's capture watches, by TypeORM's table path. A table that doesn't exist yet (its migration runs
 * later) is described at its first write.
 */
export class CapturedTables {
  readonly #engine: Engine;
  readonly #writer: OutboxWriter;
  readonly #mapped: ReadonlyMap<string, MappedTable>;
  readonly #known = new Map<string, CapturedTable>();
  #cascades: Cascades;

  constructor(engine: Engine, writer: OutboxWriter, mapped: readonly MappedTable[]) {
    this.#engine = engine;
    this.#writer = writer;
    this.#mapped = new Map(mapped.map((table) => [table.path, table]));
    this.#cascades = new Cascades(engine, [], new Map(), []);
  }

  /** Rows that foreign keys change along, as the catalog was when the tables were described. */
  get cascades(): Cascades {
    return this.#cascades;
  }

  /** Describes every mapped table that exists. @throws LockstepError TABLE_WITHOUT_PRIMARY_KEY. */
  async describe(run: RunStatement): Promise<void> {
    await this.#describe(run, [...this.#mapped.values()]);
  }

  captures(path: string): boolean {
    return this.#mapped.has(path);
  }

  known(path: string): CapturedTable | undefined {
    return this.#known.get(path);
  }

  /** The table behind a path, described in the caller's transaction when it wasn't there before; `undefined` when it is no ordinary table. */
  async at(path: string, run: RunStatement): Promise<CapturedTable | undefined> {
    const mapped = this.#mapped.get(path);
    if (mapped && !this.#known.has(path)) await this.#describe(run, [mapped], true);
    return this.#known.get(path);
  }

  /** Names of captured tables that a hand-written statement may mean. */
  named({ namespace, name }: TableName): readonly string[] {
    return [...this.#mapped.values()]
      .filter((table) => table.name.toLowerCase() === name.toLowerCase())
      .filter((table) => namespace === undefined || (table.namespace ?? namespace) === namespace)
      .map(({ path }) => path);
  }

  async #describe(run: RunStatement, mapped: readonly MappedTable[], inTransaction = false): Promise<void> {
    const resolved = await existingTables(this.#engine, run, mapped);
    const existing = resolved.filter((table) => table !== undefined);
    if (existing.length === 0) return;
    const schemas = await this.#writer.describe(run, existing, { inTransaction });
    const byId = new Map(schemas.map((schema) => [tableId(schema), schema]));
    const keyed = await keyFacts(this.#engine, run, existing);
    const facts = this.#engine === "mysql" ? await mysqlTableFacts(run, existing) : undefined;
    resolved.forEach((table, index) => {
      const schema = table && byId.get(tableId(table));
      if (!schema) return;
      const mysql = facts?.get(tableId(table));
      const { exact = new Set<string>(), partitioned = false } = keyed.get(tableId(table)) ?? {};
      const keys = keyColumnsOf(schema);
      const captured = {
        table,
        schema,
        keys,
        keyList: keyList(this.#engine, keys),
        exactKeys: exact,
        isPartitioned: partitioned,
        ...(mysql && { mysql }),
      };
      this.#known.set(mapped[index]!.path, captured);
    });
    await this.#readForeignKeys(run);
  }

  async #readForeignKeys(run: RunStatement): Promise<void> {
    const captured = [...this.#known.values()].map(({ table }) => table);
    const namespaces = [...new Set(captured.map(({ namespace }) => namespace))];
    const foreignKeys = await activeForeignKeys(this.#engine, run, namespaces);
    const known = new Map([...this.#known.values()].map(({ table, keys }) => [tableId(table), keys]));
    const tables = foreignKeys.flatMap(({ parent, child }) => [parent, child]);
    const others = new Map(tables.map((table) => [tableId(table), table]));
    for (const id of known.keys()) others.delete(id);
    const keys = new Map([...(await primaryKeys(this.#engine, run, [...others.values()])), ...known]);
    this.#cascades = new Cascades(this.#engine, foreignKeys, keys, captured);
  }
}
