import type { ScheduleStore } from "@lockstep/core";
import { scheduleColumns, scheduleOf } from "../job-row.js";
import type { Connections } from "./connections.js";
import { quoteName } from "./quote.js";

/** The schedules of a source in PostgreSQL, beside its jobs. */
export function postgresSchedules(connections: Connections, schema: string): ScheduleStore {
  const table = `${quoteName(schema)}.schedule`;
  const ask = (text: string, values: readonly (string | number | null)[] = []) =>
    connections.use((client) =>
      client.query<(string | null)[]>({ text, values: [...values], rowMode: "array" }),
    );
  return {
    async keep(name, plan, now) {
      // What was due by other times isn't missed.
      await ask(
        `insert into ${table} as s (name, plan, covered_at) values ($1, $2, $3)
  on conflict (name) do update set plan = excluded.plan, covered_at = excluded.covered_at where s.plan <> excluded.plan`,
        [name, plan, now],
      );
      const { rows } = await ask(`select ${scheduleColumns} from ${table} where name = $1`, [name]);
      return scheduleOf(rows[0]!);
    },
    async list() {
      const { rows } = await ask(`select ${scheduleColumns} from ${table} order by name`);
      return rows.map(scheduleOf);
    },
    async cover(name, at, missed = 0) {
      const { rowCount } = await ask(
        `update ${table} set covered_at = $2, missed = missed + $3 where name = $1 and covered_at < $2`,
        [name, at, missed],
      );
      return rowCount === 1;
    },
    async setPaused(name, by) {
      const { rowCount } = await ask(`update ${table} set paused_by = $2 where name = $1`, [
        name,
        by ?? null,
      ]);
      return rowCount === 1;
    },
  };
}
