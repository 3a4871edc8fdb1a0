import {
  type ActiveForeignKey,
  type Engine,
  type ForeignKeyGraph,
  foreignKeyGraph,
  LockstepError,
  type RowChange,
  type RowNote,
  type RunStatement,
  tableId,
} from "@lockstep/core";
import { keyRows } from "./key-rows.js";
import { type KeyColumn, keyList, readKey } from "./key-text.js";
import { quoteName, quoteTable } from "./quote.js";

/** Rows that one write may change by foreign keys before it is refused. */
const maxCascadedRows = 100_000;
/** Parents asked for in one SELECT. */
const parentsPerSelect = 500;

interface Step {
  readonly table: RowNote["table"];
  readonly keys: readonly (readonly string[])[];
  readonly change: RowChange;
}

/**
 * The rows that the database changes by itself when a write meets foreign keys with actions (PROTOCOL.md 25). TypeORM doesn't see
 * them, on MySQL neither triggers nor the binary log do; so they are looked for, and locked, before the write.
 */
export class Cascades {
  readonly #engine: Engine;
  readonly #graph: ForeignKeyGraph;
  readonly #keys: ReadonlyMap<string, readonly KeyColumn[]>;
  readonly #captured: ReadonlySet<string>;

  constructor(
    engine: Engine,
    foreignKeys: readonly ActiveForeignKey[],
    keys: ReadonlyMap<string, readonly KeyColumn[]>,
    captured: readonly RowNote["table"][],
  ) {
    this.#engine = engine;
    this.#keys = keys;
    this.#captured = new Set(captured.map(tableId));
    this.#graph = foreignKeyGraph(foreignKeys, captured);
  }

  /** True when deleting rows of the table, or changing these columns of them, changes other captured rows. */
  follow(table: RowNote["table"], change: RowChange): boolean {
    return this.#graph.actingOn(table, change).length > 0;
  }

  /** Locks the rows behind those foreign keys and notes them. Whether they go or change is for the flush to see. */
  async notes(run: RunStatement, first: Step): Promise<RowNote[]> {
    const met = new Set<string>();
    const notes: RowNote[] = [];
    for (let steps = [first]; steps.length > 0;) {
      const next: Step[] = [];
      for (const step of steps) {
        for (const { key, change } of this.#graph.actingOn(step.table, step.change)) {
          const found = await this.#children(run, key, step.keys);
          // A cycle comes back to rows that are met already: once per row and change.
          const fresh = found.filter((child) => {
            const id = JSON.stringify([tableId(key.child), change, child]);
            return !met.has(id) && met.add(id);
          });
          if (met.size > maxCascadedRows) throw tooMany(first.table);
          if (this.#captured.has(tableId(key.child))) {
            notes.push(...fresh.map((child): RowNote => ({ table: key.child, op: "update", key: child })));
          }
          if (fresh.length > 0) next.push({ table: key.child, keys: fresh, change });
        }
      }
      steps = next;
    }
    return notes;
  }

  async #children(
    run: RunStatement,
    { parent, parentColumns, child, childColumns }: ActiveForeignKey,
    parents: readonly (readonly string[])[],
  ): Promise<string[][]> {
    const engine = this.#engine;
    const [parentKeys, childKeys] = [this.#keys.get(tableId(parent)), this.#keys.get(tableId(child))];
    if (!parentKeys || !childKeys) return [];
    const quoted = (columns: readonly string[]) =>
      columns.map((column) => quoteName(engine, column)).join(", ");
    const found: string[][] = [];
    for (let from = 0; from < parents.length; from += parentsPerSelect) {
      const some = parents.slice(from, from + parentsPerSelect);
      const { list, parameters } = keyRows(engine, parentKeys, some);
      const rows = await run(
        `SELECT ${keyList(engine, childKeys)} FROM ${quoteTable(engine, child)} WHERE (${quoted(childColumns)}) IN
           (SELECT ${quoted(parentColumns)} FROM ${quoteTable(engine, parent)} WHERE (${quoted(parentKeys.map(({ name }) => name))}) IN (${list})) FOR UPDATE`,
        parameters,
      );
      found.push(...rows.map((row) => readKey(childKeys, row)));
    }
    return found;
  }
}

function tooMany(table: RowNote["table"]): LockstepError {
  return new LockstepError(
    "CAPTURE_BLIND_WRITE",
    `a write to ${tableId(table)} would change more than ${maxCascadedRows} rows by foreign keys`,
  );
}
