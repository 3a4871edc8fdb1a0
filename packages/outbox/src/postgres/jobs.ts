import {
  type ErrorCode,
  type Job,
  type JobOrigin,
  type JobState,
  type JobStore,
  begunStates,
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
import { connectionsTo, type PostgresConnection } from "./connections.js";
import { quoteName } from "./quote.js";
import { postgresSchedules } from "./schedules.js";

/** Where the jobs are. */
export interface PostgresJobStoreOptions {
  /** A direct connection, not through a transaction pooler: session locks are used. */
  readonly connection: PostgresConnection;
  /** Name of the source; shows in `pg_stat_activity`. */
  readonly source: string;
  /** Schema of Lockstep's own tables. Default `lockstep`. */
  readonly schema?: string;
}

const uniqueViolation = "23505";

/** The jobs of a source in PostgreSQL, beside its outbox. Connects on first use. */
export function postgresJobStore(options: PostgresJobStoreOptions): JobStore {
  const { schema = "lockstep", source } = options;
  const connections = connectionsTo(options.connection, `lockstep jobs ${source}`);
  const table = `${quoteName(schema)}.job`;
  const columns = jobColumns((column) => `(extract(epoch from ${column}) * 1000)::bigint`);
  const ask = async (text: string, values: readonly (string | number | null)[] = []): Promise<Job[]> => {
    const query = { text, values: [...values], rowMode: "array" as const };
    const { rows } = await connections.use((client) => client.query<(string | null)[]>(query));
    return rows.map(jobOf);
  };
  // What was missed must not push out what ran: an incremental sync goes on from the job before it.
  const forget = (kind: string, states: readonly JobState[]) =>
    ask(
      `delete from ${table} where kind = $1 and state in (${stateList(states.filter(isOver))})
  and id < (select min(id) from (select id from ${table} where kind = $1 and state in (${stateList(states)})
    order by id desc limit ${keptJobs}) kept)`,
      [kind],
    );
  const find = async (id: string): Promise<Job | undefined> =>
    (await ask(`select ${columns} from ${table} where id = ${jobId(id)}`))[0];
  return {
    find,
    async begin(job) {
      const { kind, options: asked, progress, origin } = job;
      try {
        const values = [kind, JSON.stringify(asked), JSON.stringify(progress), ...originValues(origin)];
        const [begun] = await ask(
          `insert into ${table} (kind, options, progress, asked_by, schedule, due_at) values ($1, $2, $3, $4, $5, $6) returning ${columns}`,
          values,
        );
        await forget(kind, begunStates);
        return begun!;
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === uniqueViolation)
          throw liveJob(job, error);
        throw error;
      }
    },
    async miss({ kind, options: asked, origin, code }) {
      await ask(
        `insert into ${table} (kind, options, progress, asked_by, schedule, due_at, state, code, finished_at)
  values ($1, $2, '{}', $3, $4, $5, 'missed', $6, clock_timestamp()) on conflict do nothing`,
        [kind, JSON.stringify(asked), ...originValues(origin), code],
      );
      await forget(kind, ["missed"]);
    },
    list: ({ kind, states, schedule, before, limit }) =>
      ask(
        `select ${columns} from ${table} where ($1::text is null or kind = $1) and ($2::text is null or schedule = $2)
  and ($3::bigint is null or id < $3) and ${states === undefined ? "true" : `state in (${stateList(states)})`} order by id desc limit $4`,
        [kind ?? null, schedule ?? null, before === undefined ? null : jobId(before), limit],
      ),
    async move(id: string, to: JobState, code?: ErrorCode) {
      const finished = isOver(to) ? "clock_timestamp()" : "null";
      const [moved] = await ask(
        `update ${table} set state = $1, code = $2, moved_at = clock_timestamp(), finished_at = ${finished}
  where id = ${jobId(id)} and state in (${statesBefore(to)}) returning ${columns}`,
        [to, code ?? null],
      );
      if (moved) return moved;
      const job = await find(id);
      throw job === undefined ? unknownJob(id) : wrongState(job, to);
    },
    async claim(id) {
      const job = await find(id);
      if (job === undefined) throw unknownJob(id);
      return claimJob({ connections, schema, table, columns }, job);
    },
    schedules: postgresSchedules(connections, schema),
    close: () => connections.close(),
  };
}

function originValues({ by, schedule, dueAt }: JobOrigin = { by: "command" }): (string | number | null)[] {
  return [by, schedule ?? null, dueAt ?? null];
}
