import { randomUUID } from "node:crypto";
import type { RunStatement } from "@lockstep/core";
import { postgresOutboxWriter } from "@lockstep/outbox";
import pg from "pg";

const writer = postgresOutboxWriter({});
const table = { namespace: "public", name: "orders" };

/** How the orders are captured. */
export type BenchCapture = "subscriber" | "wal";

/** Writes order rows as the app would: plain inserts and, with subscriber capture, the flush of their outbox rows before each COMMIT. */
export class OrderWriter implements AsyncDisposable {
  private constructor(
    private readonly client: pg.Client,
    private readonly capture: BenchCapture,
  ) {}

  static async open(url: string, capture: BenchCapture): Promise<OrderWriter> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return new OrderWriter(client, capture);
  }

  readonly #run: RunStatement = async (sql, parameters) =>
    (await this.client.query(sql, parameters as unknown[])).rows;

  /** One transaction with `rows` orders. Returns the last id. */
  async write(rows: number): Promise<string> {
    await this.client.query("BEGIN");
    const values = Array.from(
      { length: rows },
      (_, i) => `($${i * 2 + 1}, $${i * 2 + 2}, 'bitte klingeln, danke', 'new')`,
    ).join(", ");
    const parameters = Array.from({ length: rows }, (_, i) => [
      ((i + 1) * 19.99).toFixed(2),
      randomUUID(),
    ]).flat();
    const text = `INSERT INTO orders (total, customer_id, note, status) VALUES ${values} RETURNING id`;
    const result = await this.client.query<{ id: string }>({
      name: `orders-${rows}`,
      text,
      values: parameters,
    });
    if (this.capture === "subscriber") {
      const notes = result.rows.map(({ id }) => ({ table, op: "insert" as const, key: [id] }));
      await writer.append(this.#run, notes, {});
    }
    await this.client.query("COMMIT");
    return result.rows.at(-1)!.id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end();
  }
}

/** Writes `events` orders in transactions of `rowsPerTransaction` over four sessions, then one last order by itself; returns that one's id. */
export async function makeBacklog(
  { sourceUrl: url, capture }: { readonly sourceUrl: string; readonly capture: BenchCapture },
  events: number,
  rowsPerTransaction: number,
): Promise<string> {
  let left = events;
  const session = async () => {
    await using orders = await OrderWriter.open(url, capture);
    while ((left -= rowsPerTransaction) >= 0) await orders.write(rowsPerTransaction);
  };
  await Promise.all([session(), session(), session(), session()]);
  await using last = await OrderWriter.open(url, capture);
  return await last.write(1);
}
