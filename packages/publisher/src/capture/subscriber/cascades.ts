import { type Engine, LockstepError, type RowNote, type RunStatement, tableId } from "@lockstep/core";
import type { ActiveForeignKey } from "./catalog/foreign-keys.js";
import { keyRows } from "./key-rows.js";
import { type KeyColumn, keyList, readKey } from "./key-text.js";
import { quoteName, quoteTable } from "./quote.js";

/** Rows that one write may change by foreign keys before it is refused. */
const maxCascadedRows = 100_000;
/** Parents asked for in one SELECT. */
const parentsPerSelect = 500;

/** What happens to some rows of a table: they go, or these columns change. */
export type Change =
  { readonly kind: "delete" } | { readonly kind: "update"; readonly columns: readonly string[] };

interface Step {
  readonly table: RowNote["table"];
  readonly keys: readonly (readonly string[])[];
  readonly change: Change;
}

/**
 * The rows that the database changes by itself when a write meets foreign keys with actions (PROTOCOL.md 25). TypeORM doesn't see
 * them, on MySQL neither triggers nor the binary log do; so they are looked for, and locked, before the write.
 */
export class Cascades {
  readonly #engine: Engine;
  readonly #byParent: ReadonlyMap<string, readonly ActiveForeignKey[]>;
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
    const useful = foreignKeys.filter(({ child }) => this.#leadsToCaptured(child, foreignKeys));
    const byParent = new Map<string, ActiveForeignKey[]>();
    for (const key of useful) {
      const id = tableId(key.parent);
      byParent.set(id, [...(byParent.get(id) ?? []), key]);
    }
    this.#byParent = byParent;
  }

  /** True when deleting rows of the table, or changing these columns of them, changes other captured rows. */
  follow(table: RowNote["table"], change: Change): boolean {
    return this.#edges({ table, keys: [], change }).length > 0;
  }

  /** Locks the rows behind those foreign keys and notes them. Whether they go or change is for the flush to see. */
  async notes(run: RunStatement, first: Step): Promise<RowNote[]> {
    const met = new Set<string>();
    const notes: RowNote[] = [];
    for (let steps = [first]; steps.length > 0;) {
      const next: Step[] = [];
      for (const step of steps) {
        for (const { key, change } of this.#edges(step)) {
          const found = await this.#children(run, key, step.keys);
          // A cycle comes back to rows that are met already: once per row and kind of change.
          const fresh = found.filter((child) => {
            const id = JSON.stringify([tableId(key.child), change.kind, child]);
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

  #edges({ table, change }: Step): { readonly key: ActiveForeignKey; readonly change: Change }[] {
    return (this.#byParent.get(tableId(table)) ?? []).flatMap((key) => {
      const changed: Change = { kind: "update", columns: key.childColumns };
      if (change.kind === "delete") {
        if (key.onDelete === "none") return [];
        return [{ key, change: key.onDelete === "cascade" ? change : changed }];
      }
      const touches = key.parentColumns.some((column) => change.columns.includes(column));
      return touches && key.onUpdate !== "none" ? [{ key, change: changed }] : [];
    });
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

  #leadsToCaptured(table: RowNote["table"], foreignKeys: readonly ActiveForeignKey[]): boolean {
    const met = new Set<string>();
    const visit = (id: string): boolean => {
      if (this.#captured.has(id)) return true;
      if (met.has(id)) return false;
      met.add(id);
      return foreignKeys.some(({ parent, child }) => tableId(parent) === id && visit(tableId(child)));
    };
    return visit(tableId(table));
  }
}

function tooMany(table: RowNote["table"]): LockstepError {
  return new LockstepError(
    "CAPTURE_BLIND_WRITE",
    `a write to ${tableId(table)} would change more than ${maxCascadedRows} rows by foreign keys`,
  );
}
