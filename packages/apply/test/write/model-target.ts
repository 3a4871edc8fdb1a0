import { type Fault, type RowImage, type TargetTable, type TargetTransaction, tableId } from "@lockstep/core";
import { schemaOf } from "../batch/table-model.js";

/**
 * customers(id, email unique, name, favourite → orders) ⇄ orders(id, customer → customers): constraints are checked at once, a customer named `bad`
 * is refused.
 */
export const customers: TargetTable = {
  schema: schemaOf("customers", ["id", "email", "name", "favourite"]),
  name: "customers",
  parents: ["public.orders"],
  selfReferencing: false,
  hasSecondaryUnique: true,
};

export const orders: TargetTable = {
  schema: schemaOf("orders", ["id", "customer"]),
  name: "orders",
  parents: ["public.customers"],
  selfReferencing: false,
  hasSecondaryUnique: false,
};

class Refusal extends Error {
  constructor(readonly code: Fault["code"]) {
    super(code);
  }
}

/** What the model's errors mean. */
export function classifyModel(error: unknown): Fault {
  if (error instanceof Refusal) return { kind: "row", code: error.code };
  return { kind: "systemic", code: "TARGET_UNAVAILABLE" };
}

type Rows = Map<string, RowImage>;

/** A transaction on tables in memory; counts its statements. */
export class ModelTarget {
  customers: Rows = new Map();
  orders: Rows = new Map();
  statements = 0;

  static of(customerRows: readonly RowImage[], orderRows: readonly RowImage[]): ModelTarget {
    const model = new ModelTarget();
    for (const row of customerRows) model.customers.set(keyOf(row), row);
    for (const row of orderRows) model.orders.set(keyOf(row), row);
    return model;
  }

  copy(): ModelTarget {
    return ModelTarget.of([...this.customers.values()], [...this.orders.values()]);
  }

  contents(): unknown {
    return [this.customers, this.orders].map((rows) => [...rows.values()].map((row) => row.join("|")).sort());
  }

  readonly transaction = {
    upsert: async (table, rows) => {
      this.statements++;
      for (const { key, image, before } of rows) {
        if (before !== undefined && before !== key) this.#moveKey(table, before, key);
        this.#put(table, key, image);
      }
      this.#checkForeignKeys();
    },
    remove: async (table, keys) => {
      this.statements++;
      for (const key of keys) this.#rowsOf(table).delete(key);
      this.#checkForeignKeys();
    },
    moveUniqueAside: async (_, keys) => {
      this.statements++;
      for (const key of keys) {
        const row = this.customers.get(key);
        if (row) this.customers.set(key, row.with(1, `aside ${key}`));
      }
    },
    savepoint: async (work) => {
      const kept = this.copy();
      try {
        return await work();
      } catch (error) {
        this.customers = kept.customers;
        this.orders = kept.orders;
        throw error;
      }
    },
  } as Pick<TargetTransaction, "upsert" | "remove" | "moveUniqueAside" | "savepoint"> as TargetTransaction;

  #rowsOf(table: TargetTable): Rows {
    return tableId(table.schema) === "public.customers" ? this.customers : this.orders;
  }

  #moveKey(table: TargetTable, before: string, key: string): void {
    const rows = this.#rowsOf(table);
    const row = rows.get(before);
    if (row === undefined) return;
    rows.delete(before);
    rows.set(key, row);
  }

  #put(table: TargetTable, key: string, known: RowImage): void {
    const rows = this.#rowsOf(table);
    const there = rows.get(key);
    const image = known.map((cell, i) => (cell === 0 ? (there?.[i] ?? null) : cell));
    if (rows === this.customers) {
      if (image[2] === "bad") throw new Refusal("TARGET_CHECK");
      for (const [other, row] of rows) {
        if (other !== key && row[1] === image[1] && row[1] !== null) throw new Refusal("TARGET_UNIQUE");
      }
    }
    rows.set(key, image);
  }

  #checkForeignKeys(): void {
    const points = (id: unknown, to: Rows): boolean =>
      id === null || id === undefined || to.has(JSON.stringify([id]));
    const orders = [...this.orders.values()].every((row) => points(row[1], this.customers));
    const favourites = [...this.customers.values()].every((row) => points(row[3], this.orders));
    if (!orders || !favourites) throw new Refusal("TARGET_FOREIGN_KEY");
  }
}

/** JSON key of a row whose key is its first cell. */
export function keyOf(row: RowImage): string {
  return JSON.stringify([row[0]]);
}
