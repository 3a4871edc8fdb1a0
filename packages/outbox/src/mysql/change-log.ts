import { positionOf, silentLogger, type ChangeLog, type Logger, type Position } from "@lockstep/core";
import { pruneLimits, type Retention } from "../retention.js";
import { schemaCacheOf } from "../schema-cache.js";
import { tickMemory } from "../tick.js";
import { barrierOf } from "./barrier.js";
import { connectionsTo, type MysqlConnection, type MysqlSession } from "./connections.js";
import { cutTick, hasUnread, type MarkedTick } from "./cut.js";
import { tableNames } from "./ddl.js";
import { incarnationOf } from "./incarnation.js";
import { capturedText, leadAs } from "../log-term.js";
import { readKept } from "./kept-query.js";
import { candidateOf } from "./lead.js";
import { type MysqlOutboxOptions, outboxPlace } from "./outbox-place.js";
import { backlogOf, pruneTicks } from "./prune.js";
import { readEvents } from "./read.js";
import {
  acknowledgeTargets,
  forgetTarget,
  keepPartitions,
  listTargets,
  readPartitions,
  registerTarget,
} from "./registry.js";
import { readSchemas } from "./schemas.js";
import { waiterOf } from "./wait.js";

/** Where the log is and how long it keeps events. */
export interface MysqlChangeLogOptions extends MysqlOutboxOptions {
  /** A direct connection to the database that holds Lockstep's tables: session locks are used. */
  readonly connection: MysqlConnection;
  /** Name of the source; shows in warnings. */
  readonly source: string;
  readonly retention?: Retention;
  /** Told when the server's settings weaken what Lockstep promises. Default: silent. */
  readonly logger?: Logger;
}

const defaultPageEvents = 2_000;
const defaultMaxTicks = 10_000;

/** The outbox of a MySQL or MariaDB database as the relay reads it. Connects on first use. */
export function mysqlChangeLog(options: MysqlChangeLogOptions): ChangeLog {
  const { source, logger = silentLogger } = options;
  const { prefix } = outboxPlace(options);
  const names = tableNames(options);
  const retention = pruneLimits(options.retention);
  const connections = connectionsTo(options.connection);
  const schemas = schemaCacheOf(() => connections.use((session) => readSchemas(session, names)));
  const wait = waiterOf(() => connections.use((session) => hasUnread(session, names)));
  const candidate = candidateOf(connections, prefix);
  const ticks = tickMemory<MarkedTick>();
  /** How the source was captured when the lead was taken. */
  let captured: string | undefined;
  const warnOnce = once(() => connections.use((session) => warnOfLostCommits(session, source, logger)));
  const top = (session: MysqlSession): Promise<Position> =>
    endOf(session, `SELECT n, events FROM ${names.tick} ORDER BY n DESC LIMIT 1`);
  return {
    incarnation: () => connections.use((session) => incarnationOf(session, names)),
    async lead() {
      const lead = await leadAs("outbox", candidate.lead, () => connections.use((c) => readKept(c, names)));
      if (lead === undefined) return undefined;
      ticks.forget();
      captured = capturedText(lead.kept);
      return lead.leadership;
    },
    async cut() {
      await warnOnce();
      const tick = await connections.use((session) => cutTick(session, names, captured));
      if (!tick) return undefined;
      ticks.remember(tick);
      return { tick: tick.n, events: tick.events };
    },
    top: () => connections.use(top),
    barrier: (timeoutMs) => barrierOf(connections, names, top, timeoutMs),
    prunedThrough: () =>
      connections.use((session) =>
        endOf(
          session,
          `SELECT k.n, k.events FROM ${names.tick} k JOIN ${names.state} s ON k.n = s.pruned_through`,
        ),
      ),
    read: (after, { pageEvents = defaultPageEvents, signal } = {}) =>
      readEvents({ connections, names, schemas, ticks, pageEvents, signal }, after),
    schemas: () => schemas.load(),
    partitions: () => connections.use((session) => readPartitions(session, names)),
    keepPartitions: (partitions) => connections.use((session) => keepPartitions(session, names, partitions)),
    register: (target) => connections.use((session) => registerTarget(session, names, target)),
    acknowledge: (acks) => connections.use((session) => acknowledgeTargets(session, names, acks)),
    targets: () => connections.use((session) => listTargets(session, names)),
    removeTarget: (idOrName) => connections.use((session) => forgetTarget(session, names, idOrName)),
    prune: ({ maxTicks = defaultMaxTicks } = {}) =>
      connections.use((session) => pruneTicks(session, names, retention, maxTicks)),
    backlog: () => connections.use((session) => backlogOf(session, names)),
    wait: (timeoutMs, signal) => wait(timeoutMs, signal),
    async close() {
      await candidate.close();
      await connections.close();
    },
  };
}

async function endOf(session: MysqlSession, query: string): Promise<Position> {
  const [tick] = await session.rows(query);
  return tick ? positionOf(BigInt(tick[0]!), BigInt(tick[1]!)) : positionOf(0, 0);
}

/** With another setting a crash can take back a tick that was published, and give its number to other events (PROTOCOL.md 6). */
async function warnOfLostCommits(session: MysqlSession, source: string, logger: Logger): Promise<void> {
  const [row] = await session.rows("SELECT @@innodb_flush_log_at_trx_commit");
  const setting = Number(row?.[0]);
  if (setting === 1) return;
  logger.warn(
    { source, setting },
    "commits of the source may be lost in a crash: set innodb_flush_log_at_trx_commit to 1",
  );
}

/** Runs `work` until it has succeeded once. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done = false;
  return async () => {
    if (done) return;
    await work();
    done = true;
  };
}
