import type { TableSchema, TargetOptions } from "@lockstep/core";
import { refuseNames, tableId } from "@lockstep/core";
import { quoteName } from "../sql/quote.js";
import type { Session } from "../session/session.js";
import { fitsName, nameLimit } from "./names.js";
import { type CatalogTable, type Query, readCatalog } from "./catalog.js";
import { findProblems, refuseProblems } from "./check.js";
import { builtInTypes, managedStatements } from "./managed.js";
import { PostgresTable } from "./postgres-table.js";

/** Which of the target's options say how tables are made or checked. */
export type TableOptions = Pick<TargetOptions, "schema" | "namespace" | "allowInsensitiveKeys">;

/** The tables a lane's session knows. */
export class LaneTables {
  readonly #session: Session;
  readonly #options: TableOptions;
  readonly #namespace: string;
  /** Source table ids by the target's table name. */
  readonly #sources = new Map<string, string>();
  readonly #newest = new Map<string, PostgresTable>();
  /** By fingerprint. */
  readonly #known = new Map<string, PostgresTable>();
  #doubtful = false;

  constructor(session: Session, options: TableOptions) {
    this.#session = session;
    this.#options = options;
    this.#namespace = options.namespace ?? "public";
  }

  /** Makes or checks the tables of these schemas; in their order. */
  async prepare(schemas: readonly TableSchema[]): Promise<readonly PostgresTable[]> {
    refuseNames(schemas, fitsName, nameLimit);
    this.#refuseCollisions(schemas);
    if (this.#options.schema === "managed") await this.#manage(schemas);
    const catalog = await this.#check(schemas);
    return schemas.map((schema) => this.#learn(schema, catalog.get(schema.name)!));
  }

  /** Something was refused: the tables may not be what they were (a person may be correcting them). */
  doubt(): void {
    this.#doubtful = true;
  }

  /** Looks at the known tables again when there was a reason to doubt: a correction takes effect without a restart. */
  async refresh(): Promise<void> {
    if (!this.#doubtful || this.#known.size === 0) return;
    const catalog = await this.#check([...this.#known.values()].map(({ schema }) => schema));
    for (const table of this.#known.values()) table.update(catalog.get(table.schema.name)!);
    this.#doubtful = false;
  }

  #learn(schema: TableSchema, catalog: CatalogTable): PostgresTable {
    const known = this.#known.get(schema.fingerprint);
    known?.update(catalog);
    const table = known ?? new PostgresTable(schema, catalog, (name) => this.#sources.get(name));
    this.#known.set(schema.fingerprint, table);
    this.#newest.set(tableId(schema), table);
    return table;
  }

  async #check(schemas: readonly TableSchema[]): Promise<ReadonlyMap<string, CatalogTable>> {
    const catalog = await this.#read(schemas);
    const allowInsensitiveKeys = this.#options.allowInsensitiveKeys ?? false;
    refuseProblems(findProblems(schemas, catalog, { namespace: this.#namespace, allowInsensitiveKeys }));
    return catalog;
  }

  /** The table of a source table id, by its newest schema. */
  bySource(id: string): PostgresTable | undefined {
    return this.#newest.get(id);
  }

  /** Id of the source table that is written to the target's table of this name. */
  sourceOf(name: string): string | undefined {
    return this.#sources.get(name);
  }

  // Tables of one name in two namespaces of the source would be written to one table here.
  #refuseCollisions(schemas: readonly TableSchema[]): void {
    const claimed = new Map(this.#sources);
    for (const schema of schemas) {
      const id = tableId(schema);
      const other = claimed.get(schema.name);
      if (other !== undefined && other !== id) {
        const what = `${other} and ${id} would both be written to ${this.#namespace}.${schema.name}`;
        refuseProblems([{ code: "CONFIG_INVALID", what }]);
      }
      claimed.set(schema.name, id);
    }
    for (const [name, id] of claimed) this.#sources.set(name, id);
  }

  #read(schemas: readonly TableSchema[]): Promise<ReadonlyMap<string, CatalogTable>> {
    const names = [...new Set(schemas.map(({ name }) => name))];
    return readCatalog(this.#query, this.#namespace, names);
  }

  readonly #query: Query = (text, values) => this.#session.query(text, values);

  async #manage(schemas: readonly TableSchema[]): Promise<void> {
    const builtIn = await builtInTypes(this.#query, schemas);
    // One schema after the other: two schemas of one table (before and after a new column) build on each other.
    for (const schema of schemas) {
      const before = await this.#statements(schema, builtIn);
      if (before.length > 0) await this.#change(schema, builtIn);
    }
  }

  async #statements(schema: TableSchema, builtIn: ReadonlySet<string>): Promise<readonly string[]> {
    const table = (await this.#read([schema])).get(schema.name);
    const create = table === undefined ? [`create schema if not exists ${quoteName(this.#namespace)}`] : [];
    const statements = managedStatements(schema, table, this.#namespace, builtIn);
    return statements.length === 0 || this.#namespace === "public" ? statements : [...create, ...statements];
  }

  // Lanes of other partitions make the same tables: what is missing is judged again under the lock.
  async #change(schema: TableSchema, builtIn: ReadonlySet<string>): Promise<void> {
    await this.#session.run([
      { text: "begin" },
      { text: "select pg_advisory_xact_lock(hashtextextended('lockstep managed tables', 0))" },
      // A widened column may have its table written anew, which takes its time.
      { text: "set local statement_timeout = 0" },
    ]);
    try {
      const statements = await this.#statements(schema, builtIn);
      await this.#session.run([...statements.map((text) => ({ text })), { text: "commit" }], Infinity);
    } catch (error) {
      await this.#session.run([{ text: "rollback" }]).catch(() => undefined);
      throw error;
    }
  }
}
