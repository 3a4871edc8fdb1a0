import { type ClaimedJob, type Job, LockstepError, type RunStatement } from "@lockstep/core";
import type pg from "pg";
import { jobOf, unknownJob } from "../job-row.js";
import { endSoon, lockstepErrorOf, unavailable, type Connections } from "./connections.js";
import { lockOf } from "./wake-up.js";

/** Where a job's row is. */
interface Place {
  readonly connections: Connections;
  readonly schema: string;
  readonly table: string;
  readonly columns: string;
}

// A lock that is not had at once is had when a short transaction has ended, or it is given up.
const maxLockMs = 100;
const maxStatementMs = 400;

/**
 * Waits and statements end long before a session of the application that waits for this one looks for a deadlock: it finds none, and is never the
 * one that is ended (PROTOCOL.md 22). A commit waits for no disk either: a tick is made durable before it is published, and all before it.
 */
const yieldingSession = `select set_config('lock_timeout', least(${maxLockMs}, d.ms / 4) || 'ms', false),
  set_config('statement_timeout', least(${maxStatementMs}, d.ms / 2) || 'ms', false),
  set_config('synchronous_commit', 'off', false), set_config('idle_in_transaction_session_timeout', '5s', false)
  from (select setting::int as ms from pg_settings where name = 'deadlock_timeout') d`;

/** Lock not available, statement time-out, deadlock, serialization failure. */
const yielding = new Set(["55P03", "57014", "40P01", "40001"]);

/** Claims a job by a session lock of its kind; `undefined` while another session has it. */
export async function claimJob(place: Place, { id, kind }: Job): Promise<ClaimedJob | undefined> {
  const client = await place.connections.open();
  try {
    const got = await client.query<{ got: string }>(
      `select pg_try_advisory_lock(${lockOf(`job ${place.schema} ${kind}`)}) as got`,
    );
    if (got.rows[0]?.got !== "t") {
      await endSoon(client);
      return undefined;
    }
    await client.query(yieldingSession);
    const { rows } = await client.query<{ owner: string }>(
      `update ${place.table} set owner = owner + 1 where id = ${id} returning owner`,
    );
    return claimed(client, place, id, rows[0]!.owner);
  } catch (error) {
    await endSoon(client);
    throw error;
  }
}

function claimed(client: pg.Client, { table, columns }: Place, id: string, owner: string): ClaimedJob {
  const run: RunStatement = async (sql, parameters = []) =>
    (await client.query<Record<string, unknown>>(sql, [...parameters])).rows;
  const lost = new Promise<void>((resolve) => client.once("end", () => resolve()));
  return {
    id,
    lost,
    yielded: (error) => yielding.has(sqlStateOf(error)),
    read: () =>
      unavailable(async () => {
        const text = `select ${columns} from ${table} where id = ${id}`;
        const { rows } = await client.query<(string | null)[]>({ text, rowMode: "array" });
        if (!rows[0]) throw unknownJob(id);
        return jobOf(rows[0]);
      }),
    async step(work) {
      await client.query("begin isolation level read committed");
      try {
        const { progress } = await work(run);
        // Behind the work, in its transaction: whoever paused the job, or took it over, meanwhile has its rows rolled back.
        const { rowCount } = await client.query(
          `update ${table} set progress = $1, moved_at = clock_timestamp()
            where id = ${id} and owner = ${owner} and state = 'running'`,
          [JSON.stringify(progress)],
        );
        await client.query(rowCount === 1 ? "commit" : "rollback");
        return rowCount === 1;
      } catch (error) {
        await client.query("rollback").catch(() => undefined);
        throw yielding.has(sqlStateOf(error)) ? error : refusedOf(lockstepErrorOf(error));
      }
    },
    [Symbol.asyncDispose]: () => endSoon(client),
  };
}

/** Of a value, of what is named or asked for, of rights, raised by a function: to a statement that is sent again the server says it again. */
const refusals = /^(21|22|42|P0)/;

/** What the server will say again. Its words may hold values. */
function refusedOf(error: unknown): unknown {
  if (error instanceof LockstepError || !refusals.test(sqlStateOf(error))) return error;
  return new LockstepError("SOURCE_REFUSED", `the source refused a statement (${sqlStateOf(error)})`, {
    cause: error,
  });
}

/** The SQLSTATE of an error, or of what it wraps. */
function sqlStateOf(error: unknown): string {
  if (error instanceof LockstepError) return sqlStateOf(error.cause);
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
