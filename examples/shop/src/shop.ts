import { randomUUID } from "node:crypto";
import { type DataSource, type EntityManager, QueryFailedError } from "typeorm";
import type { Customer, Order, OrderLine, Product, ShopEntities } from "./entities.js";

/** Thrown inside a transaction to roll it back on purpose. */
export class OutOfStock extends Error {}

/** Numbers in [0, 1). */
export type Random = () => number;

/** What the shop does all day: each method is one transaction (or, where it says so, none). No Lockstep in here: it is an ordinary TypeORM app. */
export class Shop {
  readonly #orders: string[] = [];
  #customers: string[] = [];
  #products: number[] = [];

  constructor(
    private readonly dataSource: DataSource,
    private readonly entities: ShopEntities,
    private readonly random: Random = Math.random,
  ) {}

  /** The first customers, products and tags. May be called again, by another process too: it adds more. */
  async open(customers = 200, products = 100): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const tags = ["new", "sale", "gift", "🎁 limited"].map((name) => ({ name, description: null }));
      await manager.save(this.entities.tag, tags);
      const people = await manager.save(
        this.entities.customer,
        Array.from({ length: customers }, () => this.#newCustomer()),
      );
      const goods = await manager.save(
        this.entities.product,
        Array.from({ length: products }, (_, i) => this.#newProduct(i)),
      );
      this.#customers = people.map((c) => c.id);
      this.#products = goods.map((p) => p.id);
    });
  }

  /** An order with one to four lines; the stock goes down. */
  async placeOrder(): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const order = await this.#order(manager);
      this.#remember(order.id);
    });
  }

  /** Places an order and thinks better of it: everything is rolled back. */
  async failOrder(): Promise<void> {
    await this.dataSource
      .transaction(async (manager) => {
        await this.#order(manager);
        throw new OutOfStock();
      })
      .catch(ignoreOutOfStock);
  }

  /** An order whose gift wrapping (a nested transaction) is rolled back while the order stays. */
  async placeOrderWithoutGift(): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const order = await this.#order(manager);
      await manager
        .transaction(async (nested) => {
          await nested.update(this.entities.order, { id: order.id }, { note: "gift wrapped 🎀" });
          throw new OutOfStock();
        })
        .catch(ignoreOutOfStock);
      this.#remember(order.id);
    });
  }

  /** Moves an order on, by a plain update outside any transaction. */
  async advanceOrder(): Promise<void> {
    const id = this.#pick(this.#orders);
    if (id === undefined) return;
    const status = this.#pick(["paid", "shipped"] as const) ?? "paid";
    await this.dataSource.getRepository(this.entities.order).update({ id }, { status });
  }

  /** Takes an order back: lines and order are removed, the customer gets points. */
  async cancelOrder(): Promise<void> {
    if (this.#orders.length < 50) return;
    const [id] = this.#orders.splice(Math.floor(this.random() * this.#orders.length), 1);
    await this.dataSource.transaction(async (manager) => {
      const order = await manager.findOne(this.entities.order, {
        where: { id: id! },
        relations: { lines: true, customer: true },
      });
      if (order === null) return;
      await manager.delete(this.entities.line, { order: { id: order.id } });
      await manager.remove(this.entities.order, order);
      await manager.increment(
        this.entities.customer,
        { id: order.customer.id },
        "loyaltyPoints",
        9_007_199_254_740_991,
      );
    });
  }

  /** A customer changes their profile through `save`. */
  async changeProfile(): Promise<void> {
    const customers = this.dataSource.getRepository(this.entities.customer);
    const customer = await customers.findOneBy({ id: this.#pick(this.#customers)! });
    if (customer === null) return;
    customer.preferences = {
      newsletter: this.random() < 0.5,
      tags: ['a"b', "line\nbreak", "ünï"],
      seen: Math.floor(this.random() * 1e6),
    };
    customer.active = this.random() < 0.9;
    await customers.save(customer);
  }

  /** A price changes through the query builder. */
  async changePrice(): Promise<void> {
    await this.dataSource
      .createQueryBuilder()
      .update(this.entities.product)
      .set({ price: this.#price(), weight: this.random() * 10 })
      .where({ id: this.#pick(this.#products)! })
      .execute();
  }

  /** A product's tags are replaced: rows of the join table come and go. The product is locked, or two that add the same tag would collide. */
  async retag(): Promise<void> {
    const id = this.#pick(this.#products)!;
    await this.dataSource.transaction(async (manager) => {
      const products = manager.getRepository(this.entities.product);
      await products.findOne({ where: { id }, lock: { mode: "pessimistic_write" } });
      const product = await products.findOne({ where: { id }, relations: { tags: true } });
      if (product === null) return;
      const all = await manager.getRepository(this.entities.tag).find();
      product.tags = all.filter(() => this.random() < 0.4);
      await products.save(product);
    });
  }

  /** One random piece of the day; begun again when the database chose it to resolve a deadlock, as any application must. */
  async act(): Promise<void> {
    let share = this.random() * 100;
    const action = this.#mix.find(([weight]) => (share -= weight) < 0)?.[1] ?? (() => this.placeOrder());
    for (let tries = 1; ; tries++) {
      try {
        return await action();
      } catch (error) {
        if (tries === 5 || !isDeadlock(error)) throw error;
      }
    }
  }

  readonly #mix: readonly (readonly [percent: number, action: () => Promise<void>])[] = [
    [30, () => this.placeOrder()],
    [8, () => this.failOrder()],
    [7, () => this.placeOrderWithoutGift()],
    [25, () => this.advanceOrder()],
    [8, () => this.cancelOrder()],
    [10, () => this.changeProfile()],
    [8, () => this.changePrice()],
    [4, () => this.retag()],
  ];

  async #order(manager: EntityManager): Promise<Order> {
    const count = 1 + Math.floor(this.random() * 4);
    const lines: Partial<OrderLine>[] = Array.from({ length: count }, (_, i) => ({
      lineNo: i + 1,
      product: { id: this.#pick(this.#products)! } as Product,
      quantity: 1 + Math.floor(this.random() * 5),
      unitPrice: this.#price(),
    }));
    // The stock first, in the order of the products' ids: a line locks its product, and two orders that share products would deadlock.
    for (const id of [...new Set(lines.map((l) => l.product!.id))].toSorted((a, b) => a - b)) {
      await manager.decrement(this.entities.product, { id }, "stock", 1);
    }
    const order = await manager.save(this.entities.order, {
      customer: { id: this.#pick(this.#customers)! } as Customer,
      status: "new" as const,
      note: this.random() < 0.3 ? 'bitte klingeln 🔔\t"zweimal"' : null,
      total: this.#price(),
      lines: lines as OrderLine[],
    });
    return order as Order;
  }

  #remember(id: string): void {
    this.#orders.push(id);
    // The shop remembers its last orders only: the demo may run for days.
    if (this.#orders.length > 5000) this.#orders.splice(0, 1000);
  }

  #newCustomer(): Partial<Customer> {
    const id = randomUUID();
    return {
      id,
      email: `${id}@example.com`,
      name: "Zoë O'Brien \\ 東京",
      loyaltyPoints: "9007199254740993",
      active: true,
      preferences: null,
    };
  }

  #newProduct(index: number): Partial<Product> {
    const thumbnail = index % 3 === 0 ? null : Buffer.from([0, 255, 9, 10, 13, 39, 92, index]);
    return {
      sku: `sku-${index}-${randomUUID()}`,
      title: `Product ${index} ✓`,
      price: this.#price(),
      stock: 100_000,
      weight: null,
      thumbnail,
    };
  }

  #price(): string {
    return (Math.floor(this.random() * 100_000) / 100).toFixed(2);
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.random() * from.length)];
  }
}

function ignoreOutOfStock(error: unknown): void {
  if (!(error instanceof OutOfStock)) throw error;
}

function isDeadlock(error: unknown): boolean {
  return error instanceof QueryFailedError && ["40P01", "ER_LOCK_DEADLOCK"].includes(error.driverError.code);
}
