import { type ErrorCode, type Job, type JobState, type JobStore } from "@lockstep/core";
import {
  isOver,
  jobColumns,
  jobId,
  jobOf,
  liveJob,
  statesBefore,
  unknownJob,
  wrongState,
} from "../job-row.js";
import { claimJob } from "./claimed-job.js";
import { connectionsTo, type MysqlConnection } from "./connections.js";
import { tableNames } from "./ddl.js";
import { quoteNullable, quoteText } from "./quote.js";

/** Where the jobs are. */
export interface MysqlJobStoreOptions {
  readonly connection: MysqlConnection;
  /** Beginning of the names of Lockstep's own tables, in the connection's database. Default `lockstep_`. */
  readonly prefix?: string;
}

const duplicateEntry = 1062;

/** The jobs of a source in MySQL or MariaDB, beside its outbox. Connects on first use. */
export function mysqlJobStore({ connection, prefix = "lockstep_" }: MysqlJobStoreOptions): JobStore {
  const connections = connectionsTo(connection);
  const table = tableNames(prefix).job;
  // Sessions are in UTC.
  const columns = jobColumns((column) => `CAST(UNIX_TIMESTAMP(${column}) * 1000 AS SIGNED)`);
  const ask = async (where: string): Promise<Job[]> => {
    const rows = await connections.use((session) => session.rows(`SELECT ${columns} FROM ${table} ${where}`));
    return rows.map(jobOf);
  };
  const find = async (id: string): Promise<Job | undefined> => (await ask(`WHERE id = ${jobId(id)}`))[0];
  return {
    find,
    async begin({ kind, options, progress }) {
      const values = [kind, JSON.stringify(options), JSON.stringify(progress)].map(quoteText).join(", ");
      try {
        const insert = `INSERT INTO ${table} (kind, options, progress, started_at, moved_at) VALUES (${values}, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))`;
        const [, made] = await connections.use((session) =>
          session.batch(`${insert}; SELECT LAST_INSERT_ID()`),
        );
        return (await find(String(made![0]![0])))!;
      } catch (error) {
        if (error instanceof Error && "errno" in error && error.errno === duplicateEntry)
          throw liveJob(kind, error);
        throw error;
      }
    },
    list: ({ kind, limit }) =>
      ask(
        `${kind === undefined ? "" : `WHERE kind = ${quoteText(kind)} `}ORDER BY id DESC LIMIT ${Math.trunc(limit)}`,
      ),
    async move(id: string, to: JobState, code?: ErrorCode) {
      const moved = await connections.use((session) =>
        session.change(
          `UPDATE ${table} SET state = '${to}', code = ${quoteNullable(code)}, moved_at = UTC_TIMESTAMP(6),
  finished_at = ${isOver(to) ? "UTC_TIMESTAMP(6)" : "NULL"} WHERE id = ${jobId(id)} AND state IN (${statesBefore(to)})`,
        ),
      );
      const job = await find(id);
      if (job === undefined) throw unknownJob(id);
      if (moved === 0) throw wrongState(job, to);
      return job;
    },
    async claim(id) {
      const job = await find(id);
      if (job === undefined) throw unknownJob(id);
      return claimJob({ connections, prefix, table, columns }, job);
    },
    close: () => connections.close(),
  };
}
