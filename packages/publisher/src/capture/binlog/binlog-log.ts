import {
  type CaptureFinding,
  type ChangeLog,
  endOfTick,
  isLockstepError,
  LockstepError,
  type Logger,
  type LoggedEvent,
  type RowNote,
  type RunStatement,
  silentLogger,
  startPosition,
  tableId,
} from "@lockstep/core";
import {
  acknowledgeTargets,
  captureMoved,
  candidateOf,
  connectionsTo,
  forgetTarget,
  incarnationOf,
  keepPartitions,
  leadAs,
  listTargets,
  type MysqlConnection,
  type MysqlSession,
  readKept,
  readPartitions,
  readSchemas,
  registerTarget,
  type MysqlOutboxOptions,
  outboxPlace,
  tableNames,
} from "@lockstep/outbox/mysql";
import { warnOfLostCommits } from "./binlog-needs.js";
import { Latch } from "../../relay/latch.js";
import type { LogContext } from "./log/log-context.js";
import { ensureUsableMark, logWentBack, markProgress, passWhatNobodyNeeds } from "./log/keep-marks.js";
import { markBarrier } from "./log/barrier.js";
import { endOfLog, newestMark, oldestMark } from "./log/marks.js";
import { backlogOf, pruneMarks } from "./log/prune-marks.js";
import { watchForPurges } from "./log/purge-watch.js";
import { openReaders } from "./log/readers.js";
import { openTables } from "./table/tables.js";

/** Where the log is. */
export interface MysqlBinlogOptions extends MysqlOutboxOptions {
  /** A direct connection to the primary that may read the binlog (REPLICATION SLAVE). Lockstep's own tables are in its database. */
  readonly connection: MysqlConnection;
  /** Name of the source; shows in warnings. */
  readonly source: string;
  /** What keeps these tables from being captured: looked for whenever this reader begins to lead. */
  readonly problems: (
    run: RunStatement,
    tables: readonly RowNote["table"][],
  ) => Promise<readonly CaptureFinding[]>;
  /** The number that the reader has among the server's replicas. Default: a random one for each connection. */
  readonly serverId?: number;
  /** Told when the server purges what a target needs, and when statements remove rows that the log doesn't list. Default: silent. */
  readonly logger?: Logger;
}

const defaultPageEvents = 2_000;

/**
 * The binlog of a MySQL or MariaDB server as the relay reads it: as a replica does, over connections of its own. Registry, leadership
 * and marks are in Lockstep's own tables in the source. A transaction is a tick. Connects on first use.
 */
export function mysqlBinlogLog(options: MysqlBinlogOptions): ChangeLog {
  const { source, logger = silentLogger, serverId, problems } = options;
  const names = tableNames(options);
  const place = outboxPlace(options);
  const connections = connectionsTo(options.connection);
  const use = <T>(work: (session: MysqlSession) => Promise<T>): Promise<T> => connections.use(work);
  const tables = openTables(connections, options);
  const candidate = candidateOf(connections, place.prefix);
  const heard = new Latch();
  const purges = watchForPurges(names, { logger, source });
  let context: LogContext | undefined;
  let readers: ReturnType<typeof openReaders> | undefined;
  /** Ticks up to and including this one are cut. */
  let through: bigint | undefined;
  /** Another log is in force: the term is over. */
  let isMoved = false;

  const openedReaders = async (): Promise<ReturnType<typeof openReaders>> => {
    if (readers) return readers;
    await tables.load();
    const database = await use(async (session) => String((await session.rows("SELECT DATABASE()"))[0]![0]));
    context ??= { connections, names, database, place, tables, source, logger, serverId };
    readers ??= openReaders(context, () => heard.set());
    return readers;
  };
  const closeReaders = (): void => {
    readers?.close();
    readers = undefined;
    through = undefined;
  };

  /** How far the server's log reaches; whatever is committed by now lies before it. */
  const reach = async (session: MysqlSession): Promise<bigint> => {
    const { boundary } = await endOfLog(session);
    const newest = await newestMark(session, names);
    if (newest && newest.boundary > boundary) throw logWentBack();
    const end = boundary - 1n;
    if (through === undefined || end > through) through = end;
    return through;
  };

  /** @throws LockstepError CAPTURE_SOURCE_SETTINGS naming everything that is wrong. */
  const refuseUnfit = async (session: MysqlSession): Promise<void> => {
    await endOfLog(session);
    const schemas = await readSchemas(session, names);
    const tables = [...new Map(schemas.map((schema) => [tableId(schema), schema])).values()];
    const wrong = (await problems(session.run, tables)).filter(
      ({ problem }) => problem === "missing" || problem === "refused",
    );
    if (wrong.length === 0) return;
    throw new LockstepError("CAPTURE_SOURCE_SETTINGS", wrong.map(({ message }) => message).join("; "));
  };

  const markFurthest = async (session: MysqlSession): Promise<void> => {
    const found = readers?.furthest?.mark;
    if (found !== undefined) await markProgress(session, names, found);
  };

  const pruneRead = async (session: MysqlSession): Promise<number> => {
    await markFurthest(session);
    await ensureUsableMark(session, names);
    await purges.look(session);
    return pruneMarks(session, names, { logger, source, end: readers?.end });
  };

  return {
    ticksAreTransactions: true,
    incarnation: () => use((session) => incarnationOf(session, names)),
    async lead() {
      const lead = await leadAs("binlog", candidate.lead, () => use((session) => readKept(session, names)));
      if (!lead) return undefined;
      const { leadership } = lead;
      isMoved = false;
      try {
        await use(refuseUnfit);
        await use((session) => warnOfLostCommits(session, source, logger));
        await use((session) => ensureUsableMark(session, names));
        await use((session) => passWhatNobodyNeeds(session, names));
      } catch (error) {
        await leadership.release().catch(() => undefined);
        throw error;
      }
      void leadership.lost.then(closeReaders);
      return {
        lost: leadership.lost,
        release() {
          closeReaders();
          return leadership.release();
        },
      };
    },
    async cut() {
      if (isMoved) throw captureMoved();
      const furthest = readers?.furthest;
      if (furthest?.failure !== undefined) {
        closeReaders();
        throw furthest.failure;
      }
      if (through === undefined) await use(reach);
      heard.clear();
      const newest = readers?.newest ?? 0n;
      if (newest <= through!) return undefined;
      through = newest;
      return { tick: newest, events: 1 };
    },
    top: async () => endOfTick(await use(reach)),
    barrier: () => use((session) => markBarrier(session, names)),
    prunedThrough: async () => (await use((session) => oldestMark(session, names)))?.last ?? startPosition,
    async *read(after, { pageEvents = defaultPageEvents, signal = never } = {}) {
      const end = through ?? (await use(reach));
      const open = await openedReaders();
      const reader = await open.borrow(after);
      try {
        for (;;) {
          const page: readonly LoggedEvent[] | undefined = await reader.take(after, end, pageEvents, signal);
          if (page === undefined || signal.aborted) return;
          yield page;
        }
      } finally {
        open.release(reader);
      }
    },
    partitions: () => use((session) => readPartitions(session, names)),
    keepPartitions: (count) => use((session) => keepPartitions(session, names, count)),
    schemas: () => use((session) => readSchemas(session, names)),
    register: (target) =>
      use(async (session) => {
        await ensureUsableMark(session, names);
        await markFurthest(session);
        return registerTarget(session, { ...names, tick: names.logMark }, target, "binlog");
      }),
    acknowledge: (acks) => use((session) => acknowledgeTargets(session, names, acks)),
    targets: () => use((session) => listTargets(session, names)),
    removeTarget: (idOrName) => use((session) => forgetTarget(session, names, idOrName)),
    async prune() {
      try {
        return await use(pruneRead);
      } catch (error) {
        isMoved ||= isLockstepError(error, "CAPTURE_CHANGED");
        throw error;
      }
    },
    backlog: () =>
      use(async (session) =>
        backlogOf(
          session,
          names,
          readers?.furthest?.scanned.total ?? (await newestMark(session, names))?.total ?? 0,
        ),
      ),
    async wait(timeoutMs, signal = never) {
      if (readers?.furthest?.failure === undefined) await heard.wait(timeoutMs, signal);
    },
    async close() {
      closeReaders();
      await candidate.close();
      await connections.close();
    },
  };
}

const never = new AbortController().signal;
