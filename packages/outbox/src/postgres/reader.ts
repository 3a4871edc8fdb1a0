import type { TableReader } from "@lockstep/core";
import type pg from "pg";
import { connectionsTo, endSoon, unavailable, type PostgresConnection } from "./connections.js";

/** Texts as an image has them; plans as the server likes them. */
const settings = `set DateStyle = 'ISO, MDY'; set TimeZone = 'UTC'; set IntervalStyle = 'postgres'; set extra_float_digits = 1;
set bytea_output = 'hex'; set lc_monetary = 'C'; set row_security = off; set enable_seqscan = on;
set max_parallel_workers_per_gather = 0; set default_transaction_read_only = on`;

/** Runs one statement; each value is the text that the server printed. */
export type ReadStatement = TableReader["rows"];

/** A session that only reads; opened on first use, and again when it was lost. `more`: what is set beside. */
export function postgresRows(
  connection: PostgresConnection,
  name: string,
  more: string,
): Pick<TableReader, "rows" | "close"> {
  const connections = connectionsTo(connection, name);
  let opening: Promise<pg.Client> | undefined;
  const open = async (): Promise<pg.Client> => {
    const client = await connections.open();
    client.once("end", () => (opening = undefined));
    await client.query(`${settings}; ${more}`);
    return client;
  };
  return {
    rows: (text) =>
      unavailable(async () => {
        const client = await (opening ??= open().catch((error: unknown) => {
          opening = undefined;
          throw error;
        }));
        // A pass over a large table takes as long as it takes.
        const query: pg.QueryArrayConfig & { readonly query_timeout: number } = {
          text,
          rowMode: "array",
          query_timeout: 0,
        };
        return (await client.query<(string | null)[]>(query)).rows;
      }),
    async close() {
      const client = await opening?.catch(() => undefined);
      if (client) await endSoon(client);
      await connections.close();
    },
  };
}

/** Reads a PostgreSQL source. Connects on first use, and again when the connection was lost. */
export function postgresReader(connection: PostgresConnection, source: string): TableReader {
  return {
    engine: "postgres",
    ...postgresRows(connection, `lockstep verify ${source}`, "set search_path = pg_catalog, pg_temp"),
  };
}
