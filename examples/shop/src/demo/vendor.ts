import pg from "pg";

type IsPassed = (moment: string) => Promise<boolean>;

/** A writer of the vendor's database. Nobody captures what it does. */
export interface Vendor extends AsyncDisposable {
  /** Writes at `rate` transactions a second until stopped. */
  write(rate: number, stop: AbortSignal): Promise<{ readonly transactions: number }>;
  /** Transactions that stay open until passes have read well beyond their writes, which `isPassed` says of a moment. Gives how many were. */
  writeLate(stop: AbortSignal, isPassed: IsPassed): Promise<number>;
}

const setup = `
create table invoice (region text, number int, total numeric(14,2) not null, note text, updated_at timestamptz not null, primary key (region, number));
create index on invoice (updated_at, region, number);
create table ledger (id bigint primary key, invoice int not null, amount numeric(14,2) not null, entry bigint not null);
create sequence entries;
create index on ledger (entry, id);
create role vendor_reader login password 'reader';
grant select on invoice, ledger to vendor_reader`;

const regions = ["north", "south", "east", "west"];
const clients = 4;

/** Makes the vendor's tables, a role that may read them, and rows. */
export async function openVendor(url: string, rows: number): Promise<Vendor> {
  const pool = new pg.Pool({ connectionString: url, max: clients + 2 });
  // One that the server ends when it stops tells the pool.
  pool.on("error", () => undefined);
  await pool.query(setup);
  await pool.query(
    `insert into invoice select (array['north', 'south', 'east', 'west'])[1 + n % 4], n, n * 1.25, 'invoice ' || n, now() - interval '1 day'
  from generate_series(1, ${rows}) n`,
  );
  let next = rows;
  let held = 0;
  const act = async (): Promise<void> => {
    const number = 1 + Math.floor(Math.random() * next);
    const choice = Math.random();
    if (choice < 0.5) await change(pool, number);
    else if (choice < 0.75) await insert(pool, ++next);
    else await book(pool, number);
  };
  return {
    async write(rate, stop) {
      const start = performance.now();
      let transactions = 0;
      const client = async (): Promise<void> => {
        while (!stop.aborted) {
          const dueMs = (++transactions / rate) * 1000 - (performance.now() - start);
          if (dueMs > 0) await pause(dueMs);
          await act();
        }
      };
      await Promise.all(Array.from({ length: clients }, client));
      return { transactions };
    },
    async writeLate(stop, isPassed) {
      let late = 0;
      const client = async (): Promise<void> => {
        while (!stop.aborted) if (await holdOpen(pool, ++held, stop, isPassed)) late++;
      };
      await Promise.all([client(), client()]);
      return late;
    },
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

function change(pool: pg.Pool, number: number): Promise<unknown> {
  return pool.query(
    "update invoice set total = total + 0.01, note = note || '.', updated_at = clock_timestamp() where number = $1",
    [number],
  );
}

function insert(pool: pg.Pool, number: number): Promise<unknown> {
  return pool.query("insert into invoice values ($1, $2, 1, 'new', clock_timestamp())", [
    regions[number % regions.length],
    number,
  ]);
}

function book(pool: pg.Pool, invoice: number): Promise<unknown> {
  return pool.query(`insert into ledger select n, $1, 0.5, n from (select nextval('entries') as n) e`, [
    invoice,
  ]);
}

/** Changes rows, and commits when they are long in the past of everybody else. */
async function holdOpen(pool: pg.Pool, n: number, stop: AbortSignal, isPassed: IsPassed): Promise<boolean> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    const { rows } = await client.query<{ at: string }>(
      "insert into invoice values ('late', $1, 1, 'late', clock_timestamp()) returning updated_at::text as at",
      [n],
    );
    await client.query("insert into ledger select n, 0, 1, n from (select nextval('entries') as n) e");
    let wasPassed = false;
    while (!wasPassed && !stop.aborted) {
      await pause(200);
      wasPassed = await isPassed(rows[0]!.at);
    }
    await client.query("commit");
    return wasPassed;
  } finally {
    client.release();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
