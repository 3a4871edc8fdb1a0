import {
  type ChangeLog,
  type LoggedEvent,
  type Position,
  type RunStatement,
  type TableSchema,
  eventsOf,
} from "@lockstep/core";
import { positionOf, silentLogger } from "@lockstep/core";
import { mysqlOutboxWriter } from "@lockstep/outbox";
import { freshMariaDb } from "@lockstep/testing";
import { createConnection } from "mysql2/promise";
import { binlogCapture } from "../../../src/capture/binlog/binlog-capture.js";
import { mysqlBinlogLog, type MysqlBinlogOptions } from "../../../src/capture/binlog/binlog-log.js";
import type { ForeignKeyActions, SourceCapture } from "../../../src/capture/source-capture.js";

/** A session of the application. */
export interface Session {
  readonly run: RunStatement;
  close(): Promise<void>;
}

/** A database whose binlog is read. */
export interface BinlogSource {
  readonly url: string;
  readonly namespace: string;
  readonly run: RunStatement;
  session(): Promise<Session>;
  /** Describes tables: from now on they are captured. */
  describe(...tables: readonly string[]): Promise<readonly TableSchema[]>;
  capture(foreignKeyActions?: ForeignKeyActions): SourceCapture;
  log(options?: Partial<MysqlBinlogOptions>, foreignKeyActions?: ForeignKeyActions): ChangeLog;
  close(): Promise<void>;
}

/** Opens a session that gives texts. */
async function openSession(url: string): Promise<Session> {
  const connection = await createConnection({ uri: url, supportBigNumbers: true, bigNumberStrings: true });
  connection.on("error", () => undefined);
  return {
    run: async (sql, parameters) => {
      const [rows] = await connection.query(sql, parameters ? [...parameters] : []);
      return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
    },
    close: () => connection.end(),
  };
}

/** Makes a database with an outbox; `url` names a server of the test's own. */
export async function openBinlogSource(url?: string): Promise<BinlogSource> {
  const database = url === undefined ? await freshMariaDb() : { url, drop: async () => undefined };
  const sessions: Session[] = [];
  const logs: ChangeLog[] = [];
  const session = async (): Promise<Session> => {
    const opened = await openSession(database.url);
    sessions.push(opened);
    return opened;
  };
  const { run } = await session();
  const capture: BinlogSource["capture"] = (foreignKeyActions) => {
    const about = { name: "test", outbox: {}, logger: silentLogger, foreignKeyActions };
    return binlogCapture({ ...about, engine: "mysql", connection: database.url });
  };
  const writer = mysqlOutboxWriter();
  await writer.ensure(run);
  const namespace = new URL(database.url).pathname.slice(1);
  return {
    url: database.url,
    namespace,
    run,
    session,
    describe: (...tables) =>
      writer.describe(
        run,
        tables.map((name) => ({ namespace, name })),
      ),
    capture,
    log(options = {}, foreignKeyActions) {
      const { plan } = capture(foreignKeyActions);
      const problems: MysqlBinlogOptions["problems"] = async (run, tables) =>
        (await plan(run, tables)).findings;
      const log = mysqlBinlogLog({ connection: database.url, source: "test", problems, ...options });
      logs.push(log);
      return log;
    },
    async close() {
      for (const log of logs.splice(0)) await log.close();
      for (const opened of sessions.splice(0)) await opened.close().catch(() => undefined);
      await database.drop();
    },
  };
}

/** Begins to capture: what is written from now on is in the log. Returns where. */
export async function begin(log: ChangeLog): Promise<Position> {
  const lead = await log.lead();
  await lead?.release();
  const target = { id: "00000000-0000-4000-8000-000000000001", name: "t", address: "a", partition: 0 };
  return (await log.register(target)).position;
}

/** Everything that is committed by now, after `after`. */
export async function readAll(log: ChangeLog, after: Position, pageEvents?: number): Promise<LoggedEvent[]> {
  await log.top();
  const events: LoggedEvent[] = [];
  for await (const page of log.read(after, pageEvents === undefined ? {} : { pageEvents })) {
    events.push(...eventsOf(page));
  }
  return events;
}

/** The end of a list of events. */
export function endOf(events: readonly LoggedEvent[]): Position {
  const last = events.at(-1)!;
  return positionOf(last.tick, last.ordinal);
}

/** An event's image. */
export function cellsOf(event: LoggedEvent | undefined): (string | null | 0)[] {
  return JSON.parse(event!.image!) as (string | null | 0)[];
}
