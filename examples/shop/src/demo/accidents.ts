import { openSide } from "@lockstep/testing";

/** A row of a target that was changed by hand. */
export interface Planted {
  readonly table: string;
  readonly key: string;
  readonly kind: "missing" | "extra" | "differing";
}

/** Rows that the shop doesn't write to any more. */
export interface QuietRows {
  readonly customers: readonly string[];
  readonly products: readonly number[];
}

/**
 * Changes rows of a target behind Lockstep's back: some are deleted, some altered by as little as a bit, some added. Each kind takes `each` of the
 * quiet rows.
 */
export async function plant(
  url: string,
  quiet: QuietRows,
  each: number,
  seed: string,
): Promise<readonly Planted[]> {
  await using side = await openSide(url);
  const planted: Planted[] = [];
  const run = async (table: string, key: string, kind: Planted["kind"], sql: string): Promise<void> => {
    await side.query(sql);
    planted.push({ table, key, kind });
  };
  for (let i = 0; i < each; i++) {
    const [altered, deleted] = [quiet.customers[2 * i]!, quiet.customers[2 * i + 1]!];
    const [flipped, gone] = [quiet.products[2 * i]!, quiet.products[2 * i + 1]!];
    const renamed = `UPDATE customers SET name = CONCAT(name, ' ') WHERE id = '${altered}'`;
    await run(
      "customers",
      altered,
      "differing",
      i % 2 === 0 ? renamed : `UPDATE customers SET name = NULL WHERE id = '${altered}'`,
    );
    await run("customers", deleted, "missing", `DELETE FROM customers WHERE id = '${deleted}'`);
    // One bit of one number.
    await run(
      "products",
      String(flipped),
      "differing",
      `UPDATE products SET stock = stock + CASE WHEN MOD(stock, 2) = 0 THEN 1 ELSE -1 END WHERE id = ${flipped}`,
    );
    await run("products", String(gone), "missing", `DELETE FROM products WHERE id = ${gone}`);
    const tag = `planted ${seed} ${i}`;
    await run("tags", tag, "extra", `INSERT INTO tags (name) VALUES ('${tag}')`);
  }
  return planted;
}
