import {
  isLockstepError,
  type LaneSession,
  LockstepError,
  type Mapping,
  type StreamReader,
  tableId,
  type TableSchema,
  type TargetTable,
} from "@lockstep/core";
import type { TableRule, TableRules } from "./guard/table-rule.js";
import { type Known, knownOf, refuseUnfit, refuseUnfitPolicies, type Route, type RowName } from "./routes.js";

/** Thrown inside a step that needs tables which are not known yet: they can't be made or checked in an open transaction. */
export class TablesNeeded extends Error {
  constructor(readonly fingerprints: readonly string[]) {
    super("tables needed");
  }
}

/** Source schemas by fingerprint and the target's tables that their rows go to, for the life of one session. */
export class TableBook {
  readonly #known = new Map<string, Known>();
  /** The source table's schema that was learnt last, by `namespace.name`. */
  readonly #newest = new Map<string, Known>();
  readonly #rules = new Map<TargetTable, TableRule>();
  /** How the guard judges a table's rows; absent where no table has a policy. */
  readonly ruleOf?: (table: TargetTable) => TableRule | undefined;
  readonly #unusable = new Map<string, LockstepError>();

  constructor(
    private readonly reader: Pick<StreamReader, "schema">,
    private readonly session: Pick<LaneSession, "tables" | "dropBases">,
    /** How many lanes write the source's rows. */
    private readonly partitions = 1,
    readonly mapping?: Mapping,
    private readonly rules?: TableRules,
  ) {
    if (rules !== undefined) this.ruleOf = (table) => this.#rules.get(table);
  }

  /** True when all of these are known. */
  knows(fingerprints: Iterable<string>): boolean {
    for (const fingerprint of fingerprints) if (!this.#known.has(fingerprint)) return false;
    return true;
  }

  /**
   * Makes or checks the tables of these schemas.
   * @throws LockstepError STREAM_SCHEMA_UNKNOWN, TARGET_FOREIGN_KEY_PARTITIONED, CONFIG_INVALID when the mapping doesn't fit them, and what
   * {@link LaneSession.tables} throws.
   */
  async learn(fingerprints: Iterable<string>): Promise<void> {
    const schemas: TableSchema[] = [];
    for (const fingerprint of fingerprints) {
      if (!this.#known.has(fingerprint)) schemas.push(await this.reader.schema(fingerprint));
    }
    if (schemas.length === 0) return;
    refuseUnfit(schemas, this.mapping);
    const mapped = schemas.map((schema) => ({ schema, mappings: this.#mappings(schema) }));
    const wanted = mapped.flatMap(({ schema, mappings }) => mappings?.map((one) => one.schema) ?? [schema]);
    refuseUnfitPolicies(wanted, this.rules);
    const tables = wanted.length === 0 ? [] : await this.session.tables(wanted);
    for (const table of tables) {
      const rule = this.rules?.ruleOf(table.schema);
      if (rule?.kind === "two-way") refuseOtherOrder(table);
      if (rule !== undefined) this.#rules.set(table, rule);
    }
    const unguarded = tables.filter((table) => !this.#rules.has(table));
    if (unguarded.length > 0) await this.session.dropBases?.(unguarded);
    if (this.partitions > 1) refuseForeignKeys(tables);
    let next = 0;
    for (const { schema, mappings } of mapped) {
      const routes = mappings?.map((mapping): Route => ({ mapping, table: tables[next++]! }));
      this.#learnt(schema, routes ?? [{ table: tables[next++]! }]);
    }
  }

  /** Absent: rows go as they are. */
  #mappings(schema: TableSchema): ReturnType<Mapping["routes"]> {
    return this.rules?.takes(schema) === false ? [] : this.mapping?.routes(schema);
  }

  #learnt(schema: TableSchema, routes: readonly Route[]): void {
    const known = knownOf(schema, routes);
    this.#known.set(schema.fingerprint, known);
    this.#newest.set(tableId(schema), known);
  }

  /** The same for letters: one that can't be had is remembered for {@link problem}, because it concerns that letter alone. */
  async learnForLetters(fingerprints: Iterable<string>): Promise<void> {
    for (const fingerprint of fingerprints) {
      try {
        await this.learn([fingerprint]);
        this.#unusable.delete(fingerprint);
      } catch (error) {
        if (!isLockstepError(error) || error.code === "STREAM_UNAVAILABLE") throw error;
        this.#unusable.set(fingerprint, error);
      }
    }
  }

  /** Why a letter's table can't be had. */
  problem(fingerprint: string): LockstepError | undefined {
    return this.#known.has(fingerprint) ? undefined : this.#unusable.get(fingerprint);
  }

  /** Gives up on what could not be had, so that it is asked for again. */
  forgetProblems(): void {
    this.#unusable.clear();
  }

  /** Where the rows of a source schema go. @throws TablesNeeded when it isn't known; LockstepError when it was asked for and can't be had. */
  readonly routesOf = (fingerprint: string): readonly Route[] => this.#of(fingerprint).routes;

  /** The source schema of a fingerprint; throws as {@link routesOf} does. */
  readonly schemaOf = (fingerprint: string): TableSchema => this.#of(fingerprint).schema;

  #of(fingerprint: string): Known {
    const known = this.#known.get(fingerprint);
    if (known === undefined) throw this.#unusable.get(fingerprint) ?? new TablesNeeded([fingerprint]);
    return known;
  }

  /** What is known of a source table (`namespace.name`), by its newest schema here. */
  newest(table: string): Known | undefined {
    return this.#newest.get(table);
  }

  /** Columns of a source table that the target is not to see. */
  hidden(table: string): ReadonlySet<string> {
    return this.newest(table)?.hidden ?? new Set();
  }

  /** Rows of the source that make this row of the target; a table that isn't known here is taken for one that isn't mapped. */
  readonly sourcesOf = (row: RowName): readonly RowName[] => {
    const routes = [...this.#newest.values()].flatMap(({ routes }) => routes);
    const here = routes.filter(({ table }) => tableId(table.schema) === row.table);
    if (here.length === 0) return [row];
    return here.flatMap(({ mapping }): RowName[] => {
      if (mapping === undefined) return [row];
      const key = mapping.sourceKey(row.key);
      return key === undefined ? [] : [{ table: tableId(mapping.source), key }];
    });
  };

  /** @throws TablesNeeded naming all of these that are neither known nor known to be unusable. */
  require(fingerprints: Iterable<string>): void {
    const missing = new Set<string>();
    for (const fingerprint of fingerprints) {
      if (!this.#known.has(fingerprint) && !this.#unusable.has(fingerprint)) missing.add(fingerprint);
    }
    if (missing.size > 0) throw new TablesNeeded([...missing]);
  }
}

/** A node finds a row's version by the texts of its key, in its own order: by another node's order it would find none, or another row's. */
function refuseOtherOrder({ schema, name, keyOrder = schema.key }: TargetTable): void {
  const orders = [schema.key, keyOrder].map((columns) => columns.join(", "));
  if (orders[0]!.toLowerCase() === orders[1]!.toLowerCase()) return;
  throw new LockstepError(
    "TARGET_KEY_MISMATCH",
    `${name} is a two-way table: its primary key (${orders[1]}) must have the order that it has at the source (${orders[0]})`,
  );
}

/**
 * A row's partition follows from its own table and key, so no foreign key keeps its two sides in one lane: a row would come before the
 * one it refers to, and a letter be made of it, as a matter of course (PROTOCOL.md 23).
 */
function refuseForeignKeys(tables: readonly TargetTable[]): void {
  const keyed = tables.filter((table) => table.parents.length > 0 || table.selfReferencing);
  if (keyed.length === 0) return;
  const names = keyed.map((table) => table.name);
  throw new LockstepError("TARGET_FOREIGN_KEY_PARTITIONED", `${names.join(", ")} have foreign keys`, {
    details: { tables: names },
  });
}
