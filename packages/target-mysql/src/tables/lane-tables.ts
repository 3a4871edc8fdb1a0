import { LockstepError, refuseNames, tableId, type TableSchema, type TargetTable } from "@lockstep/core";
import type { Session } from "../session/session.js";
import { readCatalog } from "./catalog.js";
import { checkTables } from "./check.js";
import { makeTables } from "./managed.js";
import { fitsName, nameLimit } from "./names.js";
import type { TypeChoice } from "./type-mapping.js";
import { planTable, type TablePlan } from "./mysql-table.js";

/** How a lane gets its tables. */
export interface TableOptions extends TypeChoice {
  readonly mode: "managed" | "external";
  readonly namespace: string;
  readonly allowInsensitiveKeys: boolean;
  /** A session without time limits, for DDL; closed after use. */
  connectForDdl(): Promise<Session>;
}

/** The tables a lane has opened so far, by schema fingerprint. */
export class LaneTables {
  readonly #plans = new Map<string, TablePlan>();
  /** Newest schema of each target table. */
  readonly #sources = new Map<string, TableSchema>();
  readonly #options: TableOptions;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  /** Makes or checks the tables of these schemas and plans them. */
  async open(session: Session, schemas: readonly TableSchema[]): Promise<readonly TargetTable[]> {
    refuseNames(schemas, fitsName, nameLimit);
    for (const schema of schemas) this.#claim(schema);
    const names = [...new Set(schemas.map((schema) => schema.name))];
    const { namespace, mode } = this.#options;
    let catalog = await readCatalog(session, namespace, names);
    if (mode === "managed" && (await makeTables(session, schemas, catalog, this.#options))) {
      catalog = await readCatalog(session, namespace, names);
    }
    checkTables(schemas, catalog, this.#options, session.flavour);
    return schemas.map((schema) => {
      const plan = planTable(schema, catalog.get(schema.name)!, (name) => this.#sourceId(name));
      this.#plans.set(schema.fingerprint, plan);
      return plan;
    });
  }

  /** @throws TypeError when the table was not opened by this session. */
  planOf(table: TargetTable): TablePlan {
    const plan = this.#plans.get(table.schema.fingerprint);
    if (plan === undefined) throw new TypeError(`table ${table.name} was not opened in this session`);
    return plan;
  }

  /** Key columns, at the source, of what a target table mirrors. */
  keyOf(name: string): readonly string[] | undefined {
    return this.#sources.get(name)?.key;
  }

  #sourceId(name: string): string | undefined {
    const schema = this.#sources.get(name);
    return schema === undefined ? undefined : tableId(schema);
  }

  #claim(schema: TableSchema): void {
    const other = this.#sources.get(schema.name);
    if (other !== undefined && tableId(other) !== tableId(schema)) {
      throw new LockstepError(
        "CONFIG_INVALID",
        `${tableId(other)} and ${tableId(schema)} would both be mirrored into ${this.#options.namespace}.${schema.name}`,
      );
    }
    this.#sources.set(schema.name, schema);
  }
}
