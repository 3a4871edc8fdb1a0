import { type Checkpoint, fingerprintOf, positionOf, type RowWrite, type TableSchema } from "@lockstep/core";
import { startPostgres } from "@lockstep/testing";
import { postgresTarget } from "../src/index.js";

/**
 * Rows per second of whole steps (BEGIN, checkpoint, upsert, COMMIT), one after the other on one lane, 12 columns of about 300
 * bytes. Run: `node packages/target-postgres/dist/bench/upsert-speed.js [batch sizes]`. The server runs with fsync off: what is compared is the
 * work, not the disk.
 */
const columns: readonly (readonly [
  name: string,
  type: string,
  kind: TableSchema["columns"][number]["kind"],
])[] = [
  ["id", "bigint", "integer"],
  ["customer_id", "bigint", "integer"],
  ["number", "character varying(40)", "text"],
  ["status", "text", "text"],
  ["total", "numeric(12,2)", "numeric"],
  ["currency", "character(3)", "text"],
  ["note", "text", "text"],
  ["created_at", "timestamp with time zone", "timestamptz"],
  ["updated_at", "timestamp with time zone", "timestamptz"],
  ["paid", "boolean", "boolean"],
  ["address", "text", "text"],
  ["meta", "jsonb", "json"],
];

const rowsPerRun: Readonly<Record<number, number>> = {
  1: 3_000,
  20: 20_000,
  100: 60_000,
  1000: 100_000,
  5000: 100_000,
};
const runs = 3;

const described = {
  engine: "postgres" as const,
  namespace: "public",
  name: "orders",
  columns: columns.map(([name, type, kind]) => ({ name, type, kind, nullable: name !== "id" })),
  key: ["id"],
};
const schema: TableSchema = { ...described, fingerprint: fingerprintOf(described) };

function order(id: number, version: number): RowWrite {
  const at = "2026-01-02 03:04:05.678901+00";
  const note = `some note about the order ${id} in its version ${version}, a bit longer than usual`;
  const meta = `{"a": ${id}, "b": "text", "version": ${version}}`;
  const address = "Some street 12, 12345 Some Town, Some Country";
  const image = [
    `${id}`,
    `${id % 1000}`,
    `ORD-${id}`,
    "open",
    "123.45",
    "EUR",
    note,
    at,
    at,
    "true",
    address,
    meta,
  ];
  return { key: `["${id}"]`, image };
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
const show = (value: number): string => Math.round(value).toLocaleString("en").padStart(9);

await using server = await startPostgres({ settings: { max_wal_size: "8GB", shared_buffers: "512MB" } });
const target = postgresTarget({ name: "bench", url: server.url, schema: "managed" });
await target.open();
const lane = (await target.lane({ source: "bench", partition: 0 }))!;
let checkpoint: Checkpoint = await lane.register({ position: "0-0", incarnation: "bench" });
let tick = 0;
const [table] = await lane.tables([schema]);

async function step(rows: readonly RowWrite[]): Promise<void> {
  const move = {
    from: checkpoint,
    to: positionOf(++tick, 1),
    total: tick,
    incarnation: "bench",
    records: rows.length,
  };
  checkpoint = await lane.step(move, (transaction) => transaction.upsert(table!, rows));
}

async function rate(
  rows: number,
  batch: number,
  version: number,
  from: (index: number) => number,
): Promise<number> {
  const batches = Array.from({ length: rows / batch }, (_, b) =>
    Array.from({ length: batch }, (_, i) => order(from(b * batch + i), version)),
  );
  const start = performance.now();
  for (const one of batches) await step(one);
  return (rows / (performance.now() - start)) * 1000;
}

process.stdout.write("batch   new rows/s  known rows/s  half/half rows/s  (medians)\n");
const asked = process.argv.slice(2).map(Number);
for (const [size, rows] of Object.entries(rowsPerRun)) {
  const batch = Number(size);
  if (asked.length > 0 && !asked.includes(batch)) continue;
  const rates: { fresh: number[]; known: number[]; half: number[] } = { fresh: [], known: [], half: [] };
  for (let run = 0; run < runs; run++) {
    const move = {
      from: checkpoint,
      to: positionOf(++tick, 1),
      total: tick,
      incarnation: "bench",
      records: 0,
    };
    checkpoint = await lane.step(move, (transaction) => transaction.truncate(table!));
    rates.fresh.push(await rate(rows, batch, 1, (i) => i));
    rates.known.push(await rate(rows, batch, 2, (i) => i));
    // Every second row is there.
    rates.half.push(await rate(rows, batch, 3, (i) => (i % 2 === 0 ? i : rows + i)));
  }
  process.stdout.write(
    `${size.padStart(5)} ${show(median(rates.fresh))} ${show(median(rates.known))} ${show(median(rates.half))}\n`,
  );
}
await lane[Symbol.asyncDispose]();
await target.close();
