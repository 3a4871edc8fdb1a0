import type { TableReader } from "@lockstep/core";
import { Session, type SessionOptions } from "./session.js";

/** Plans as the server likes them: passes over whole tables are no mistake here. */
const settings = `select set_config('enable_seqscan', 'on', false), set_config('enable_hashjoin', 'on', false),
 set_config('max_parallel_workers_per_gather', '0', false), set_config('search_path', 'pg_catalog, pg_temp', false),
 set_config('row_security', 'off', false), set_config('default_transaction_read_only', 'on', false)`;

/** A pass over a large table takes as long as it takes: a day at most. */
const statementTimeoutMs = 24 * 60 * 60 * 1000;

/** Reads the tables of `namespace`. Connects on first use, and again when the connection was lost. */
export function tableReader(
  options: Pick<SessionOptions, "url" | "applicationName">,
  namespace: string,
): TableReader {
  let opening: Promise<Session> | undefined;
  const open = async (): Promise<Session> => {
    const session = await Session.open({ ...options, statementTimeoutMs });
    await session.query(settings);
    return session;
  };
  const session = async (): Promise<Session> => {
    const opened = await (opening ??= open());
    if (opened.isOpen) return opened;
    return (opening = open());
  };
  return {
    engine: "postgres",
    namespace,
    async rows(sql) {
      try {
        return (await (await session()).query(sql)).rows;
      } catch (error) {
        if (!(await opening?.catch(() => undefined))?.isOpen) opening = undefined;
        throw error;
      }
    },
    async close() {
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}
