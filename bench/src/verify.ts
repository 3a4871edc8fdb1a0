import { fingerprintOf, type TableReader, type TableSchema } from "@lockstep/core";
import { mysqlReader, postgresReader } from "@lockstep/outbox";
import { verify } from "@lockstep/sync";
import { type Spread, spreadOf } from "./spread.js";
import { type BenchSide, openBenchSide } from "./verify/tables.js";

/** The result of `npm run bench -- verify`: rows a second, both sides read at once. */
export interface VerifyBenchResult {
  readonly scenario: "verify";
  readonly rows: number;
  readonly rounds: number;
  readonly rowsPerSecond: Readonly<Record<"postgres" | "mariadb" | "postgresToMariadb", Spread>>;
  /** Two MariaDB servers side by side: the statement that pt-table-checksum sends per chunk (xor of 32-bit sums), and the server's own CHECKSUM TABLE. */
  readonly peers: Readonly<Record<"ptStatement" | "checksumTable" | "postgresRowText", Spread>>;
  /** Verify ÷ the statement of pt-table-checksum, of the same round. */
  readonly ratioToPtStatement: Spread;
}

const chunkRows = 10_000;
const columns =
  "id, customer_id, status, total, currency, placed_at, updated_at, note, email, paid, items, ref";

/** Verifies equal tables of 12 columns, each pair on two servers of its own, by turns with what others do. */
export async function benchVerify(
  { rounds, rows }: { readonly rounds: number; readonly rows: number },
  say: (line: string) => void,
): Promise<VerifyBenchResult> {
  const [p1, p2] = [await openBenchSide("postgres", rows), await openBenchSide("postgres", rows)];
  const [m1, m2] = [await openBenchSide("mysql", rows), await openBenchSide("mysql", rows)];
  const contenders = {
    postgres: () => verified(p1, p2, rows),
    mariadb: () => verified(m1, m2, rows),
    postgresToMariadb: () => verified(p1, m1, rows),
    ptStatement: () => inChunks([m1, m2], rows, ptStatement),
    checksumTable: () => Promise.all([m1, m2].map((side) => side.run("CHECKSUM TABLE orders"))),
    postgresRowText: () => inChunks([p1, p2], rows, rowTextStatement),
  };
  const speeds = new Map<string, number[]>();
  try {
    for (let round = -1; round < rounds; round++) {
      for (const [name, run] of Object.entries(contenders)) {
        const start = performance.now();
        await run();
        // The first round reads pages and makes plans.
        if (round >= 0)
          speeds.set(name, [...(speeds.get(name) ?? []), rows / ((performance.now() - start) / 1000)]);
      }
    }
  } finally {
    for (const side of [p1, p2, m1, m2]) await side[Symbol.asyncDispose]();
  }
  const spread = (name: keyof typeof contenders): Spread => rounded(spreadOf(speeds.get(name)!));
  for (const name of Object.keys(contenders) as (keyof typeof contenders)[])
    say(`${name}: ${JSON.stringify(spread(name))} rows/s`);
  return {
    scenario: "verify",
    rows,
    rounds,
    rowsPerSecond: {
      postgres: spread("postgres"),
      mariadb: spread("mariadb"),
      postgresToMariadb: spread("postgresToMariadb"),
    },
    peers: {
      ptStatement: spread("ptStatement"),
      checksumTable: spread("checksumTable"),
      postgresRowText: spread("postgresRowText"),
    },
    ratioToPtStatement: spreadOf(
      speeds.get("mariadb")!.map((speed, i) => speed / speeds.get("ptStatement")![i]!),
    ),
  };
}

function rounded({ min, median, max }: Spread): Spread {
  return { min: Math.round(min), median: Math.round(median), max: Math.round(max) };
}

async function verified(source: BenchSide, target: BenchSide, rows: number): Promise<void> {
  const reader = readerOf(source);
  const quiet = {
    name: "target",
    checkpoints: async () => [],
    letters: { list: async () => ({ letters: [] }) } as never,
    reader: (): TableReader => ({ ...readerOf(target), namespace: target.namespace }),
  };
  const log = { barrier: async () => "0-0" as const, incarnation: async () => "source" };
  const tables = [schemaOf(source)];
  try {
    const report = await verify(
      { source: { name: "source", reader, log, tables }, target: quiet },
      { sliceRows: chunkRows },
    );
    if (
      report.different !== 0 ||
      report.tables[0]?.rows.source !== rows ||
      report.tables[0].rows.target !== rows
    )
      throw new Error("the tables were to be equal");
  } finally {
    await reader.close();
  }
}

function readerOf({ engine, url }: BenchSide): TableReader {
  return engine === "postgres" ? postgresReader(url, "bench") : mysqlReader(url);
}

/** Only its name and key matter here: verify looks at the columns itself. */
function schemaOf({ engine, namespace }: BenchSide): TableSchema {
  const id = { name: "id", type: "bigint", kind: "integer" as const, nullable: false };
  const schema = { engine, namespace, name: "orders", columns: [id], key: ["id"] };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

async function inChunks(
  sides: readonly BenchSide[],
  rows: number,
  statement: (from: number, to: number) => string,
): Promise<void> {
  for (let from = 1; from <= rows; from += chunkRows) {
    await Promise.all(sides.map((side) => side.run(statement(from, from + chunkRows - 1))));
  }
}

function ptStatement(from: number, to: number): string {
  return `SELECT COUNT(*) AS cnt, COALESCE(LOWER(CONV(BIT_XOR(CAST(CRC32(CONCAT_WS('#', ${columns}, CONCAT(ISNULL(note), ISNULL(email)))) AS UNSIGNED)), 10, 16)), 0) AS crc
 FROM orders FORCE INDEX(PRIMARY) WHERE id >= ${from} AND id <= ${to}`;
}

function rowTextStatement(from: number, to: number): string {
  return `select count(*), sum(hashtextextended(orders::text, 0)) from orders where id >= ${from} and id <= ${to}`;
}
