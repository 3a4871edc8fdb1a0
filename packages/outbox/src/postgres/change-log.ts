import { positionOf, type ChangeLog, type Position } from "@lockstep/core";
import type pg from "pg";
import { schemaCacheOf } from "../schema-cache.js";
import { tickMemory } from "../tick.js";
import { pruneLimits, type Retention } from "../retention.js";
import { barrierOf } from "./barrier.js";
import { connectionsTo, type PostgresConnection } from "./connections.js";
import { cutTick } from "./cut.js";
import { incarnationOf } from "./incarnation.js";
import { capturedText, leadAs } from "../log-term.js";
import { readKept } from "./kept-query.js";
import { candidateOf } from "./lead.js";
import { backlogOf, pruneTicks } from "./prune.js";
import { outboxNames, type PostgresOutboxOptions } from "./outbox-names.js";
import { readEvents } from "./read.js";
import {
  acknowledgeTargets,
  forgetTarget,
  keepPartitions,
  listTargets,
  readPartitions,
  registerTarget,
} from "./registry.js";
import { readSchemas } from "./table-definition.js";
import type { SnapshotTick } from "./snapshot-tick.js";
import { waiterOf } from "./wait.js";
import { wakeUpOf } from "./wake-up.js";

/** Where the log is and how long it keeps events. */
export interface PostgresChangeLogOptions extends PostgresOutboxOptions {
  /** A direct connection, not through a transaction pooler: session locks and LISTEN are used. */
  readonly connection: PostgresConnection;
  /** Name of the source; shows in `pg_stat_activity`. */
  readonly source: string;
  readonly retention?: Retention;
}

const defaultPageEvents = 2_000;
const defaultMaxTicks = 10_000;

/** The outbox of a PostgreSQL database as the relay reads it. Connects on first use. */
export function postgresChangeLog(options: PostgresChangeLogOptions): ChangeLog {
  const names = outboxNames(options);
  const { schema, s, outbox } = names;
  const retention = pruneLimits(options.retention);
  const connections = connectionsTo(options.connection, `lockstep ${options.source}`);
  const schemas = schemaCacheOf(() => connections.use((client) => readSchemas(client, s)));
  const waiter = waiterOf(connections, s, wakeUpOf(schema));
  const candidate = candidateOf(connections, schema);
  const ticks = tickMemory<SnapshotTick>();
  /** How the source was captured when the lead was taken. */
  let captured: string | undefined;
  return {
    incarnation: () => connections.use((client) => incarnationOf(client, s)),
    async lead() {
      const lead = await leadAs("outbox", candidate.lead, () => connections.use((c) => readKept(c, s)));
      if (lead === undefined) return undefined;
      ticks.forget();
      captured = capturedText(lead.kept);
      return lead.leadership;
    },
    async cut() {
      const tick = await connections.use((client) => cutTick(client, s, captured));
      if (!tick) return undefined;
      ticks.remember(tick);
      return { tick: tick.n, events: tick.events };
    },
    top: () =>
      connections.use((client) =>
        endOfLast(client, `select n, events from ${s}.tick order by n desc limit 1`),
      ),
    barrier: (timeoutMs) => barrierOf(connections, s, timeoutMs),
    prunedThrough: () =>
      connections.use((client) =>
        endOfLast(
          client,
          `select n, events from ${s}.tick where n = (select max(pruned_through) from ${s}.state)`,
        ),
      ),
    read: (after, { pageEvents = defaultPageEvents, signal } = {}) =>
      readEvents({ connections, s, outbox, schemas, ticks, pageEvents, signal }, after),
    schemas: () => schemas.load(),
    partitions: () => connections.use((client) => readPartitions(client, s)),
    keepPartitions: (partitions) => connections.use((client) => keepPartitions(client, s, partitions)),
    register: (target) => connections.use((client) => registerTarget(client, s, target)),
    acknowledge: (acks) => connections.use((client) => acknowledgeTargets(client, s, acks)),
    targets: () => connections.use((client) => listTargets(client, s)),
    removeTarget: (idOrName) => connections.use((client) => forgetTarget(client, s, idOrName)),
    prune: ({ maxTicks = defaultMaxTicks } = {}) =>
      connections.use((client) => pruneTicks(client, names, retention, maxTicks)),
    backlog: () => connections.use((client) => backlogOf(client, s)),
    wait: (timeoutMs, signal) => waiter.wait(timeoutMs, signal),
    async close() {
      await candidate.close();
      await waiter.close();
      await connections.close();
    },
  };
}

async function endOfLast(client: pg.ClientBase, query: string): Promise<Position> {
  const { rows } = await client.query<{ n: string; events: string }>(query);
  const [tick] = rows;
  return tick ? positionOf(BigInt(tick.n), BigInt(tick.events)) : positionOf(0, 0);
}
