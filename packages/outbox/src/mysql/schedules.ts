import type { ScheduleStore } from "@lockstep/core";
import { scheduleColumns, scheduleOf } from "../job-row.js";
import type { Connections } from "./connections.js";
import { quoteNullable, quoteText } from "./quote.js";

/** The schedules of a source in MySQL or MariaDB, beside its jobs. */
export function mysqlSchedules(connections: Connections, table: string): ScheduleStore {
  const ask = async (where: string) => {
    const text = `SELECT ${scheduleColumns} FROM ${table} ${where}`;
    return (await connections.use((session) => session.rows(text))).map(scheduleOf);
  };
  const change = (text: string): Promise<number> => connections.use((session) => session.change(text));
  return {
    async keep(name, plan, now) {
      const [id, times, at] = [quoteText(name), quoteText(plan), Math.trunc(now)];
      await change(`INSERT IGNORE INTO ${table} (name, plan, covered_at) VALUES (${id}, ${times}, ${at})`);
      // What was due by other times isn't missed.
      await change(
        `UPDATE ${table} SET plan = ${times}, covered_at = ${at} WHERE name = ${id} AND plan <> ${times}`,
      );
      return (await ask(`WHERE name = ${id}`))[0]!;
    },
    list: () => ask("ORDER BY name"),
    cover: async (name, at, missed = 0) =>
      (await change(`UPDATE ${table} SET covered_at = ${Math.trunc(at)}, missed = missed + ${Math.trunc(missed)}
  WHERE name = ${quoteText(name)} AND covered_at < ${Math.trunc(at)}`)) === 1,
    async setPaused(name, by) {
      await change(`UPDATE ${table} SET paused_by = ${quoteNullable(by)} WHERE name = ${quoteText(name)}`);
      return (await ask(`WHERE name = ${quoteText(name)}`)).length === 1;
    },
  };
}
