import type { MeasuredWork } from "@lockstep/testing";
import pg from "pg";
import { queryClient } from "../../src/postgres/query-client.js";

/** Forty queries of 240 kB each, by the relay's client. */
export async function querying(url: string): Promise<MeasuredWork> {
  const client = new (queryClient(pg, 60_000))(url);
  await client.connect();
  const text = "select repeat('x', 6000) as v from generate_series(1, 40)";
  const run = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      const { rows } = await client.query(text);
      if (rows.length !== 40) throw new Error(`${rows.length} rows`);
    }
  };
  return { run, [Symbol.asyncDispose]: () => client.end() };
}
