import { setTimeout as pause } from "node:timers/promises";
import {
  type BulkLayout,
  type BulkReader,
  type KeyRange,
  LockstepError,
  type RowNote,
  tableId,
  type TableSchema,
} from "@lockstep/core";
import type pg from "pg";
import {
  connectionsTo,
  endSoon,
  lockstepErrorOf,
  type PostgresConnection,
  unavailable,
} from "../connections.js";
import { nameOf } from "../flush-call.js";
import type { PostgresOutboxOptions } from "../outbox-names.js";
import { quoteName, quoteText } from "../quote.js";
import { CopyOut } from "./copy-out.js";

/** Texts as an image has them, rows in the order of their keys, by the key's index. */
const settings = `set DateStyle = 'ISO, MDY'; set IntervalStyle = 'postgres'; set extra_float_digits = 1; set bytea_output = 'hex';
set lc_monetary = 'C'; set search_path = pg_catalog, pg_temp; set row_security = off; set max_parallel_workers_per_gather = 0;
set client_encoding = 'UTF8'`;

/** Settled is looked for so often. */
const lookMs = 20;

/** Reads the rows of a PostgreSQL source by COPY. */
export function postgresBulkReader(
  connection: PostgresConnection,
  source: string,
  { schema = "lockstep" }: PostgresOutboxOptions = {},
): BulkReader {
  const connections = connectionsTo(connection, `lockstep full sync ${source}`);
  const s = quoteName(schema);
  const idle: pg.Client[] = [];
  const lend = async (): Promise<pg.Client> => {
    const known = idle.pop();
    if (known !== undefined) return known;
    const client = await connections.open();
    await unavailable(() => client.query(settings));
    return client;
  };
  const ask = <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []): Promise<Row[]> =>
    unavailable(async () => {
      const client = await lend();
      try {
        const { rows } = await client.query<Row>(sql, [...values]);
        idle.push(client);
        return rows;
      } catch (error) {
        await endSoon(client);
        throw error;
      }
    });
  return {
    async settle(timeoutMs) {
      const until = performance.now() + timeoutMs;
      const [now] = await ask<{ xmax: string }>(
        "select pg_snapshot_xmax(pg_current_snapshot())::text as xmax",
      );
      for (;;) {
        const [row] = await ask<{ past: string }>(
          `select pg_snapshot_xmin(pg_current_snapshot())::text::numeric >= '${now!.xmax}'::numeric as past`,
        );
        if (row?.past === "t") return true;
        if (performance.now() > until) return false;
        await pause(lookMs);
      }
    },
    async cut(table, range, rows) {
      const { columns, within, keyCells } = await readingOf(ask, s, table, range);
      const [row] = await ask<{ key: string }>(
        `select array_to_json(array[${keyCells}])::text as key from ${nameOf(table)} t where ${within}
          order by ${columns} offset ${rows - 1} limit 1`,
      );
      const key = row && (JSON.parse(row.key) as readonly string[]);
      return key === undefined || JSON.stringify(key) === JSON.stringify(range.through) ? undefined : key;
    },
    async *read(table, range, layout) {
      const client = await lend().catch((error: unknown) => {
        throw lockstepErrorOf(error);
      });
      let isWhole = false;
      try {
        yield* copied(client, s, table, range, layout);
        isWhole = true;
      } catch (error) {
        throw lockstepErrorOf(error);
      } finally {
        // Left in the middle, or failed: what it would still send is nobody's.
        if (isWhole) idle.push(client);
        else (client as pg.Client & { connection: pg.Connection }).connection.stream.destroy();
      }
    },
    async close() {
      await Promise.all(idle.splice(0).map(endSoon));
      await connections.close();
    },
  };
}

type Ask = <Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

async function* copied(
  client: pg.Client,
  s: string,
  schema: TableSchema,
  range: KeyRange,
  layout: BulkLayout,
): AsyncGenerator<Buffer, void, undefined> {
  const name = nameOf(schema);
  const ask: Ask = async (sql, values = []) => (await client.query(sql, [...values])).rows as never;
  // The lock first: from here on nobody alters the table, so that what is copied is what was agreed on, to the byte.
  await ask("begin");
  await ask(`lock table ${name} in access share mode`);
  const { fingerprint, columns, within, cells } = await readingOf(ask, s, schema, range);
  if (fingerprint !== schema.fingerprint) {
    throw new LockstepError("TABLE_CHANGED", `${tableId(schema)} was altered`, {
      details: { table: tableId(schema) },
    });
  }
  const chosen =
    layout.format === "text" ? cells : layout.columns.map((name) => `t.${quoteName(name)}`).join(", ");
  const out = new CopyOut(
    `copy (select ${chosen} from ${name} t where ${within} order by ${columns}) to stdout with (format ${layout.format})`,
  );
  client.query(out);
  yield* out.pieces();
  await ask("commit");
}

/** What reading a range takes. */
interface Reading {
  readonly fingerprint: string;
  /** Expressions of the texts of an image, of those of a key, and the key's columns; of a row named t. */
  readonly cells: string;
  readonly keyCells: string;
  readonly columns: string;
  readonly within: string;
}

/** With the range's keys as literals: COPY takes no parameters. */
async function readingOf(
  ask: Ask,
  s: string,
  table: RowNote["table"],
  { after, through }: KeyRange,
): Promise<Reading> {
  const given = (key: readonly string[]): string => `${quoteText(JSON.stringify(key))}::jsonb`;
  const [row] = await ask<Omit<Reading, "within"> & { readonly first: string; readonly last: string }>(
    `select k.fingerprint, k.cells, k.key_cells as "keyCells", a.columns, a.key as first, b.key as last
      from ${s}.shape_named($1) k, ${s}.key_parts(k.rel, $2) a, ${s}.key_parts(k.rel, $3) b`,
    [nameOf(table), given(after ?? through), given(through)],
  );
  const { first, last, ...reading } = row!;
  const behind = after === undefined ? "" : `(${reading.columns}) > (${first}) and `;
  return { ...reading, within: `${behind}(${reading.columns}) <= (${last})` };
}
