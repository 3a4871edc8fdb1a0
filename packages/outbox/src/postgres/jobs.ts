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
import { connectionsTo, type PostgresConnection } from "./connections.js";
import { quoteName } from "./quote.js";

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
  const ask = async (text: string, values: readonly (string | null)[] = []): Promise<Job[]> => {
    const query = { text, values: [...values], rowMode: "array" as const };
    const { rows } = await connections.use((client) => client.query<(string | null)[]>(query));
    return rows.map(jobOf);
  };
  const find = async (id: string): Promise<Job | undefined> =>
    (await ask(`select ${columns} from ${table} where id = ${jobId(id)}`))[0];
  return {
    find,
    async begin({ kind, options: asked, progress }) {
      try {
        const values = [kind, JSON.stringify(asked), JSON.stringify(progress)];
        const insert = `insert into ${table} (kind, options, progress) values ($1, $2, $3)`;
        return (await ask(`${insert} returning ${columns}`, values))[0]!;
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === uniqueViolation)
          throw liveJob(kind, error);
        throw error;
      }
    },
    list: ({ kind, limit }) =>
      ask(`select ${columns} from ${table} where $1::text is null or kind = $1 order by id desc limit $2`, [
        kind ?? null,
        String(limit),
      ]),
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
    close: () => connections.close(),
  };
}
