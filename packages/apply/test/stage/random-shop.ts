import fc from "fast-check";
import type { Change } from "./changes.js";
import { gone, move, put } from "./changes.js";
import type { Shop } from "./shop.js";

/** One step of a random application. */
export type ShopStep =
  | { readonly do: "customer"; readonly id: string; readonly email: string | null; readonly bad: boolean }
  | { readonly do: "order"; readonly id: string; readonly customer: string | null; readonly note: string }
  | { readonly do: "rename"; readonly id: string; readonly to: string }
  | { readonly do: "delete customer" | "delete order"; readonly id: string }
  | { readonly do: "commit" };

const ids = fc.constantFrom("1", "2", "3", "4", "5", "6");

/** Steps over few rows and few unique values, so that they meet often. */
export const shopSteps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("customer" as const),
        id: ids,
        email: fc.constantFrom("a", "b", "c", "d", "e", null),
        bad: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("order" as const),
        id: ids,
        customer: fc.option(ids),
        note: fc.string({ maxLength: 5 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("rename" as const), id: ids, to: ids }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("delete customer" as const), id: ids }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("delete order" as const), id: ids }) },
    { weight: 4, arbitrary: fc.constant({ do: "commit" as const }) },
  ),
  { minLength: 60, maxLength: 120 },
);

type Customer = readonly [id: string, email: string | null, name: string];
type Order = readonly [id: string, customer: string | null, note: string];

/** The source: obeys its own constraints and says what each transaction changed, as captured events. */
export class ShopModel {
  readonly customers = new Map<string, Customer>();
  readonly orders = new Map<string, Order>();

  constructor(private readonly shop: Shop) {}

  /** Does a step if the source's constraints allow it. */
  play(step: Exclude<ShopStep, { do: "commit" }>): Change[] {
    switch (step.do) {
      case "customer": {
        const taken = [...this.customers.values()].some(
          ([id, email]) => id !== step.id && email !== null && email === step.email,
        );
        return taken ? [] : [this.#putCustomer([step.id, step.email, step.bad ? "bad" : `good ${step.id}`])];
      }
      case "order": {
        if (step.customer !== null && !this.customers.has(step.customer)) return [];
        const order: Order = [step.id, step.customer, step.note];
        this.orders.set(step.id, order);
        return [put(this.shop.orders, ...order)];
      }
      case "rename":
        return this.#rename(step.id, step.to);
      case "delete customer": {
        const used = [...this.orders.values()].some(([, customer]) => customer === step.id);
        return used || !this.customers.delete(step.id) ? [] : [gone(this.shop.customers, step.id)];
      }
      case "delete order":
        return this.orders.delete(step.id) ? [gone(this.shop.orders, step.id)] : [];
      default:
        return step satisfies never;
    }
  }

  #putCustomer(customer: Customer): Change {
    this.customers.set(customer[0], customer);
    return put(this.shop.customers, ...customer);
  }

  // The orders follow as they would by ON UPDATE CASCADE.
  #rename(id: string, to: string): Change[] {
    const customer = this.customers.get(id);
    if (customer === undefined || this.customers.has(to)) return [];
    this.customers.delete(id);
    const renamed: Customer = [to, customer[1], customer[2]];
    this.customers.set(to, renamed);
    const changes = [move(id, this.shop.customers, ...renamed)];
    for (const [number, [, owner, note]] of this.orders) {
      if (owner !== id) continue;
      this.orders.set(number, [number, to, note]);
      changes.push(put(this.shop.orders, number, to, note));
    }
    return changes;
  }

  /** Rows as the target should print them. */
  contents(): { readonly customers: string[]; readonly orders: string[] } {
    const print = (rows: Iterable<readonly (string | null)[]>): string[] =>
      [...rows].map((row) => JSON.stringify(row)).sort();
    return { customers: print(this.customers.values()), orders: print(this.orders.values()) };
  }
}
