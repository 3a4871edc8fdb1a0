import { splitPosition } from "@lockstep/core";
import { type MysqlOutboxOptions, type MysqlSession, quoteText, tableNames } from "@lockstep/outbox/mysql";
import { logTooYoung } from "../log-too-young.js";
import type { LogHandOver } from "../source-capture.js";
import { endOfLog } from "./log/marks.js";

/** The binlog's part when a source changes to it or from it. */
export function binlogHandOver(outbox: MysqlOutboxOptions): LogHandOver {
  const { logMark, state } = tableNames(outbox);
  return {
    async begin(run, { end, total }) {
      const { base, boundary } = await endOfLog(rowsOver(run));
      const { tick, n } = splitPosition(end);
      if (boundary <= tick) throw logTooYoung();
      // Of an earlier time: from there the log would be read again.
      await run(`DELETE FROM ${logMark}`);
      await run(`INSERT INTO ${logMark} (n, at, total, last_tick, last_n, base, stamp)
  VALUES (${boundary}, UTC_TIMESTAMP(6), ${total}, ${tick}, ${n}, ${quoteText(base)}, 0)`);
    },
    async leave(run) {
      const [row] = await run(
        `SELECT CAST(GREATEST(s.pruned_total, COALESCE((SELECT MAX(total) FROM ${logMark}), 0)) AS CHAR) AS total FROM ${state} s`,
      );
      return Number(row?.["total"]);
    },
    reach: async (run) => (await endOfLog(rowsOver(run))).boundary,
  };
}

function rowsOver(run: Parameters<LogHandOver["reach"]>[0]): Pick<MysqlSession, "rows"> {
  return {
    rows: async (sql) => (await run(sql)).map((row) => Object.values(row) as (string | number | null)[]),
  };
}
