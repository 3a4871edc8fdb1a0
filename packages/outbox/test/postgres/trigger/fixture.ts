import type { ChangeLog, LoggedEvent, Position, RowNote } from "@lockstep/core";
import { postgresTriggers } from "../../../src/index.js";
import { cutAll, readAll, type Session, type SourceDatabase } from "../../fixture/database.js";
import { postgres } from "../../fixture/postgres.js";

/** A PostgreSQL source whose tables are captured by triggers. */
export interface TriggerSource {
  readonly source: SourceDatabase;
  readonly session: Session;
  readonly log: ChangeLog;
  /** Puts the triggers on tables of `public`; gives what was found wrong before. */
  install(...names: string[]): Promise<readonly string[]>;
  /** What is wrong now. */
  findings(...names: string[]): Promise<readonly string[]>;
  removal(): Promise<readonly string[]>;
  /** Events since the last call, in the order of the log. */
  events(): Promise<LoggedEvent[]>;
  /** The same, each as `op key` or `op before>key`. */
  changes(): Promise<string[]>;
  close(): Promise<void>;
}

const named = (names: readonly string[]): RowNote["table"][] =>
  names.map((name) => ({ namespace: "public", name }));

/** Opens an empty source. */
export async function openTriggers(): Promise<TriggerSource> {
  const source = await postgres.open();
  const session = await source.session();
  const log = source.log();
  const triggers = postgresTriggers();
  let read: Position = "0-0";
  const events = async (): Promise<LoggedEvent[]> => {
    await cutAll(log);
    const all = await readAll(log, read, 50);
    read = await log.top();
    return all;
  };
  return {
    source,
    session,
    log,
    async install(...names) {
      const { findings, statements } = await triggers.plan(session.run, named(names));
      for (const statement of statements) await session.run(statement);
      return findings.map(({ problem }) => problem);
    },
    findings: async (...names) =>
      (await triggers.plan(session.run, named(names))).findings.map(({ problem }) => problem),
    removal: () => triggers.removal(session.run),
    events,
    changes: async () =>
      (await events()).map(
        ({ op, key, before }) => `${op[0]} ${before === undefined ? "" : `${before}>`}${key}`,
      ),
    close: () => source.drop(),
  };
}
