import { type ClaimedJob, type Job, LockstepError, type RunStatement } from "@lockstep/core";
import type mysql from "mysql2/promise";
import { jobOf, unknownJob } from "../job-row.js";
import { endSoon, lockstepErrorOf, unavailable, type Connections } from "./connections.js";
import { quoteText } from "./quote.js";

/** Where a job's row is. */
interface Place {
  readonly connections: Connections;
  readonly prefix: string;
  readonly table: string;
  readonly columns: string;
}

/** Lock wait time-out, deadlock, NOWAIT, statement time-out (MySQL, MariaDB). */
const yielding = new Set([1205, 1213, 3572, 3024, 1969]);

/** Claims a job by a session lock of its kind; `undefined` while another session has it. */
export async function claimJob(place: Place, { id, kind }: Job): Promise<ClaimedJob | undefined> {
  const connection = await place.connections.open();
  // Locks are the server's, not the database's, and their names are short.
  const name = `CONCAT('lockstep ', LEFT(SHA2(CONCAT(DATABASE(), ' ', ${quoteText(`job ${place.prefix} ${kind}`)}), 256), 40))`;
  try {
    const [got] = await connection.query(`SELECT GET_LOCK(${name}, 0)`);
    if (Number((got as unknown as [[number | string]])[0][0]) !== 1) {
      await endSoon(connection);
      return undefined;
    }
    // A session that waits for no lock is in nobody's deadlock: the application is never the one that is ended (PROTOCOL.md 22). MySQL's least is 1 s.
    await connection.query(
      `SET SESSION innodb_lock_wait_timeout = 0; UPDATE ${place.table} SET owner = owner + 1 WHERE id = ${id}`,
    );
    const [rows] = await connection.query(`SELECT owner FROM ${place.table} WHERE id = ${id}`);
    return claimed(connection, place, id, String((rows as unknown as [[number | string]])[0][0]));
  } catch (error) {
    await endSoon(connection);
    throw lockstepErrorOf(error);
  }
}

function claimed(
  connection: mysql.Connection,
  { table, columns }: Place,
  id: string,
  owner: string,
): ClaimedJob {
  const run: RunStatement = async (sql, parameters = []) => {
    const [rows] = await connection.query({ sql, values: [...parameters], rowsAsArray: false });
    return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  };
  const lost = new Promise<void>((resolve) => {
    connection.once("end", () => resolve());
    connection.once("error", () => resolve());
  });
  return {
    id,
    lost,
    yielded: (error) => yielding.has(errorNumberOf(error)),
    read: () =>
      unavailable(async () => {
        const [rows] = await connection.query(`SELECT ${columns} FROM ${table} WHERE id = ${id}`);
        const [row] = rows as unknown as (string | number | null)[][];
        if (!row) throw unknownJob(id);
        return jobOf(row);
      }),
    async step(work, { absence = false } = {}) {
      // Only REPEATABLE READ locks the gap where a row isn't.
      const level = absence ? "REPEATABLE READ" : "READ COMMITTED";
      await connection.query(`SET TRANSACTION ISOLATION LEVEL ${level}; BEGIN`);
      try {
        const { progress } = await work(run);
        // Behind the work, in its transaction: whoever paused the job, or took it over, meanwhile has its rows rolled back.
        const [moved] = await connection.query<mysql.ResultSetHeader>(
          `UPDATE ${table} SET progress = ${quoteText(JSON.stringify(progress))}, moved_at = UTC_TIMESTAMP(6)
  WHERE id = ${id} AND owner = ${owner} AND state = 'running'`,
        );
        await connection.query(moved.affectedRows === 1 ? "COMMIT" : "ROLLBACK");
        return moved.affectedRows === 1;
      } catch (error) {
        await connection.query("ROLLBACK").catch(() => undefined);
        throw yielding.has(errorNumberOf(error)) ? error : refusedOf(lockstepErrorOf(error));
      }
    },
    [Symbol.asyncDispose]: () => endSoon(connection),
  };
}

/** SQLSTATEs of a value, of what is named or asked for, of rights: to a statement that is sent again the server says it again. */
const refusals = /^(21|22|42)/;

/** What the server will say again. Its words may hold values. */
function refusedOf(error: unknown): unknown {
  const isRefusal = error instanceof Error && "sqlState" in error && refusals.test(String(error.sqlState));
  if (!isRefusal) return error;
  return new LockstepError("SOURCE_REFUSED", `the source refused a statement (${errorNumberOf(error)})`, {
    cause: error,
  });
}

function errorNumberOf(error: unknown): number {
  if (error instanceof LockstepError) return errorNumberOf(error.cause);
  return error instanceof Error && "errno" in error ? Number(error.errno) : 0;
}
