import {
  isLockstepError,
  type LaneSession,
  LockstepError,
  type StreamReader,
  type TableSchema,
  type TargetTable,
} from "@lockstep/core";

/** Thrown inside a step that needs tables which are not known yet: they can't be made or checked in an open transaction. */
export class TablesNeeded extends Error {
  constructor(readonly fingerprints: readonly string[]) {
    super("tables needed");
  }
}

/** The target's tables by schema fingerprint, for the life of one session. */
export class TableBook {
  readonly #tables = new Map<string, TargetTable>();
  readonly #unusable = new Map<string, LockstepError>();

  constructor(
    private readonly reader: Pick<StreamReader, "schema">,
    private readonly session: Pick<LaneSession, "tables">,
    /** How many lanes write the source's rows. */
    private readonly partitions = 1,
  ) {}

  /** True when all of these are known. */
  knows(fingerprints: Iterable<string>): boolean {
    for (const fingerprint of fingerprints) if (!this.#tables.has(fingerprint)) return false;
    return true;
  }

  /**
   * Makes or checks the tables of these schemas.
   * @throws LockstepError STREAM_SCHEMA_UNKNOWN, TARGET_FOREIGN_KEY_PARTITIONED, and what {@link LaneSession.tables} throws.
   */
  async learn(fingerprints: Iterable<string>): Promise<void> {
    const schemas: TableSchema[] = [];
    for (const fingerprint of fingerprints) {
      if (!this.#tables.has(fingerprint)) schemas.push(await this.reader.schema(fingerprint));
    }
    if (schemas.length === 0) return;
    const tables = await this.session.tables(schemas);
    if (this.partitions > 1) refuseForeignKeys(tables);
    for (const table of tables) this.#tables.set(table.schema.fingerprint, table);
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
    return this.#tables.has(fingerprint) ? undefined : this.#unusable.get(fingerprint);
  }

  /** Gives up on what could not be had, so that it is asked for again. */
  forgetProblems(): void {
    this.#unusable.clear();
  }

  /** The table of a schema. @throws TablesNeeded when it isn't known; LockstepError when it was asked for and can't be had. */
  readonly of = (fingerprint: string): TargetTable => {
    const table = this.#tables.get(fingerprint);
    if (table === undefined) throw this.#unusable.get(fingerprint) ?? new TablesNeeded([fingerprint]);
    return table;
  };

  /** The schema of a fingerprint; throws as {@link of} does. */
  readonly schemaOf = (fingerprint: string): TableSchema => this.of(fingerprint).schema;

  /** @throws TablesNeeded naming all of these that are neither known nor known to be unusable. */
  require(fingerprints: Iterable<string>): void {
    const missing = new Set<string>();
    for (const fingerprint of fingerprints) {
      if (!this.#tables.has(fingerprint) && !this.#unusable.has(fingerprint)) missing.add(fingerprint);
    }
    if (missing.size > 0) throw new TablesNeeded([...missing]);
  }
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
