import type { DataSource } from "typeorm";

/** Rows that were there before anybody captured them: a fourth of them customers, the others their orders. */
export async function fillShop(dataSource: DataSource, rows: number): Promise<void> {
  const customers = Math.floor(rows / 4);
  await dataSource.query(
    `INSERT INTO customers (id, email, name, loyalty_points, preferences)
  SELECT gen_random_uuid(), 'old' || n || '@example.com', 'Customer ' || n, 9007199254740993 + n, jsonb_build_object('n', n, 'news', n % 2 = 0)
  FROM generate_series(1, ${customers}) n`,
  );
  await dataSource.query(
    `INSERT INTO orders (customer_id, status, note, total)
  SELECT c.id, 'paid', CASE WHEN n % 3 = 0 THEN 'order ' || n END, n * 0.01
  FROM generate_series(1, ${rows - customers}) n
  JOIN (SELECT id, row_number() OVER () AS place FROM customers) c ON c.place = 1 + n % ${customers}`,
  );
  await dataSource.query("ANALYZE");
}
