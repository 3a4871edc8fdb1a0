import {
  type ErrorCode,
  type Job,
  type JobState,
  type JobStore,
  begunStates,
  type NewJob,
} from "@lockstep/core";
import {
  isOver,
  jobColumns,
  jobId,
  jobOf,
  keptJobs,
  liveJob,
  stateList,
  statesBefore,
  unknownJob,
  wrongState,
} from "../job-row.js";
import { claimJob } from "./claimed-job.js";
import { connectionsTo, type MysqlConnection } from "./connections.js";
import { tableNames } from "./ddl.js";
import { quoteNullable, quoteText } from "./quote.js";
import { mysqlSchedules } from "./schedules.js";

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
  const table = tableNames({ prefix }).job;
  // Sessions are in UTC.
  const columns = jobColumns((column) => `CAST(UNIX_TIMESTAMP(${column}) * 1000 AS SIGNED)`);
  const ask = async (where: string): Promise<Job[]> => {
    const rows = await connections.use((session) => session.rows(`SELECT ${columns} FROM ${table} ${where}`));
    return rows.map(jobOf);
  };
  const find = async (id: string): Promise<Job | undefined> => (await ask(`WHERE id = ${jobId(id)}`))[0];
  const into = ({ kind, options, progress, origin }: NewJob, more: Readonly<Record<string, string>> = {}) => {
    const { by, schedule, dueAt } = origin ?? { by: "command" };
    const values = {
      kind: quoteText(kind),
      options: quoteText(JSON.stringify(options)),
      progress: quoteText(JSON.stringify(progress)),
      started_at: "UTC_TIMESTAMP(6)",
      moved_at: "UTC_TIMESTAMP(6)",
      asked_by: quoteText(by),
      schedule: quoteNullable(schedule),
      due_at: dueAt === undefined ? "NULL" : String(Math.trunc(dueAt)),
      ...more,
    };
    return `INTO ${table} (${Object.keys(values).join(", ")}) VALUES (${Object.values(values).join(", ")})`;
  };
  // What was missed must not push out what ran: an incremental sync goes on from the job before it. MySQL takes a sub-query on the table that is
  // deleted from only within another.
  const forget = (kind: string, states: readonly JobState[]) =>
    connections.use((session) =>
      session.change(`DELETE FROM ${table} WHERE kind = ${quoteText(kind)} AND state IN (${stateList(states.filter(isOver))})
  AND id < (SELECT least_id FROM (SELECT MIN(id) AS least_id FROM (SELECT id FROM ${table}
    WHERE kind = ${quoteText(kind)} AND state IN (${stateList(states)}) ORDER BY id DESC LIMIT ${keptJobs}) AS newest) AS kept)`),
    );
  return {
    find,
    async begin(job) {
      const { kind } = job;
      try {
        const [, made] = await connections.use((session) =>
          session.batch(`INSERT ${into(job)}; SELECT LAST_INSERT_ID()`),
        );
        await forget(kind, begunStates);
        return (await find(String(made![0]![0])))!;
      } catch (error) {
        if (error instanceof Error && "errno" in error && error.errno === duplicateEntry)
          throw liveJob(job, error);
        throw error;
      }
    },
    async miss({ kind, options, origin, code }) {
      const over = { state: quoteText("missed"), code: quoteText(code), finished_at: "UTC_TIMESTAMP(6)" };
      await connections.use((session) =>
        session.change(`INSERT IGNORE ${into({ kind, options, progress: {}, origin }, over)}`),
      );
      await forget(kind, ["missed"]);
    },
    list: ({ kind, states, schedule, before, limit }) => {
      const conditions = [
        ...(kind === undefined ? [] : [`kind = ${quoteText(kind)}`]),
        ...(schedule === undefined ? [] : [`schedule = ${quoteText(schedule)}`]),
        ...(before === undefined ? [] : [`id < ${jobId(before)}`]),
        ...(states === undefined ? [] : [`state IN (${stateList(states)})`]),
      ];
      const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")} `;
      return ask(`${where}ORDER BY id DESC LIMIT ${Math.trunc(limit)}`);
    },
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
    schedules: mysqlSchedules(connections, tableNames({ prefix }).schedule),
    close: () => connections.close(),
  };
}
