import { type CaptureFinding, type LoggedEvent, type Position, silentLogger } from "@lockstep/core";
import { captureOf } from "../../../src/capture/capture-of.js";
import { installAtSource, removeAtSource } from "../../../src/capture/install-at-source.js";
import type { ForeignKeyActions } from "../../../src/capture/source-capture.js";
import { begin, openBinlogSource, readAll, type Session } from "../binlog/binlog-source.js";

/** A MariaDB source whose foreign keys change rows. */
export interface ActingSource {
  readonly namespace: string;
  readonly run: Session["run"];
  session(): Promise<Session>;
  /** Puts the capture of these tables in place; gives what is still wrong. */
  install(...tables: readonly string[]): Promise<readonly CaptureFinding[]>;
  /** The same by that many processes at the same moment. */
  installAtOnce(processes: number, ...tables: readonly string[]): Promise<readonly CaptureFinding[]>;
  status(...tables: readonly string[]): Promise<readonly CaptureFinding[]>;
  /** Everything since it was installed. */
  events(): Promise<LoggedEvent[]>;
  /** The rows of the captured tables: here, and in a target that has no foreign keys and has applied the events one after another. */
  rows(): Promise<{ readonly here: string[]; readonly there: string[] }>;
  /** Takes it away again. */
  remove(): Promise<void>;
  close(): Promise<void>;
}

/** Opens an empty one. */
export async function openActing(
  kind: "trigger" | "binlog",
  foreignKeyActions?: ForeignKeyActions,
): Promise<ActingSource> {
  const source = await openBinlogSource();
  const { run, namespace } = source;
  const capture = captureOf(kind, {
    name: "test",
    outbox: {},
    logger: silentLogger,
    engine: "mysql",
    connection: source.url,
    foreignKeyActions,
  });
  const log = capture.changeLog();
  let start: Position = "0-0";
  let captured: readonly string[] = [];
  const named = (tables: readonly string[]) => tables.map((name) => ({ namespace, name }));
  const events = async (): Promise<LoggedEvent[]> => {
    while (kind === "trigger" && (await log.cut()) !== undefined);
    return readAll(log, start);
  };
  return {
    namespace,
    run,
    session: () => source.session(),
    async install(...tables) {
      captured = tables;
      await source.describe(...tables);
      const findings = await installAtSource(capture, run, named(tables));
      if (kind === "binlog") start = await begin(log);
      return findings;
    },
    async installAtOnce(processes, ...tables) {
      await source.describe(...tables);
      const sessions = await Promise.all(Array.from({ length: processes }, () => source.session()));
      const found = await Promise.all(
        sessions.map((session) => installAtSource(capture, session.run, named(tables))),
      );
      return found.flat();
    },
    status: async (...tables) => (await capture.plan(run, named(tables))).findings,
    events,
    async rows() {
      const here: string[] = [];
      for (const table of captured) {
        for (const row of await run(`select * from ${table}`)) {
          const cells = Object.values(row).map((value) => (value === null ? null : String(value)));
          here.push(`${table} ${JSON.stringify(cells)}`);
        }
      }
      return { here: here.toSorted(), there: applied(await events()) };
    },
    remove: () => removeAtSource(capture, run, []),
    async close() {
      await log.close();
      await source.close();
    },
  };
}

function applied(events: readonly LoggedEvent[]): string[] {
  const rows = new Map<string, string>();
  for (const { op, table, key, before, image } of events) {
    if (before !== undefined) rows.delete(`${table.name} ${before}`);
    if (op === "delete") rows.delete(`${table.name} ${key}`);
    else rows.set(`${table.name} ${key}`, `${table.name} ${image}`);
  }
  return [...rows.values()].toSorted();
}
