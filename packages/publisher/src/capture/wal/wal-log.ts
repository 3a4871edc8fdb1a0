import { positionOf, type ChangeLog, type Logger, type Position } from "@lockstep/core";
import {
  acknowledgeTargets,
  candidateOf,
  connectionsTo,
  forgetTarget,
  incarnationOf,
  keepPartitions,
  leadAs,
  listTargets,
  placeTarget,
  readKept,
  outboxNames,
  type PostgresOutboxOptions,
  readPartitions,
  readSchemas,
  type PostgresConnection,
} from "@lockstep/outbox/postgres";
import { logRelations } from "./relation/log-relations.js";
import { readLogState } from "./slot/log-state.js";
import { slowestTarget } from "./slot/prune-log.js";
import { heldWatch } from "./slot/held-watch.js";
import { markBarrier } from "./barrier.js";
import { openTerm, type LogTerm } from "./log-term.js";
import { type WalRetention, walRetentionDefaults } from "./wal-retention.js";

/** Where the log is and how long it is kept. */
export interface WalLogOptions extends PostgresOutboxOptions {
  /** A direct connection, not through a transaction pooler, by a role that may replicate. */
  readonly connection: PostgresConnection;
  /** Name of the source; shows in `pg_stat_activity`. */
  readonly source: string;
  readonly retention?: WalRetention;
  readonly logger: Logger;
}

const defaultPageEvents = 2_000;

/**
 * The write-ahead log of a PostgreSQL database (14 or newer) as the relay reads it, by logical replication. A tick is one transaction: a
 * position is `<place of its commit record>-<ordinal>`. The log itself is the store: the slot is confirmed only as far as every following
 * target has applied. Leadership, registry, incarnation and schemas are the outbox's. Connects on first use.
 */
export function postgresWalLog(options: WalLogOptions): ChangeLog {
  const { source, logger } = options;
  const names = outboxNames(options);
  const { schema, s } = names;
  const { maxHeldBytes, confirm, maxAgeMs } = { ...walRetentionDefaults, ...options.retention };
  const connections = connectionsTo(options.connection, `lockstep ${source}`);
  const candidate = candidateOf(connections, schema);
  const relations = logRelations(connections, names);
  const held = heldWatch({ source, logger, maxBytes: maxHeldBytes });
  const newTerm = (): LogTerm => openTerm({ connections, names, relations, maxAgeMs });
  let term = newTerm();
  const endTerm = (ended: LogTerm): void => {
    ended.close();
    if (term === ended) term = newTerm();
  };
  const state = () => connections.use((client) => readLogState(client, s));

  return {
    ticksAreTransactions: true,
    async incarnation() {
      const { history } = await state();
      return connections.use((client) => incarnationOf(client, s, { history }));
    },
    async lead() {
      const lead = await leadAs("wal", candidate.lead, () => connections.use((c) => readKept(c, s)));
      if (lead === undefined) return undefined;
      const { leadership } = lead;
      endTerm(term);
      const mine = term;
      // Whoever leads next needs the slot at once.
      void leadership.lost.then(() => endTerm(mine));
      return {
        lost: leadership.lost,
        async release() {
          endTerm(mine);
          await leadership.release();
        },
      };
    },
    async cut() {
      const tick = await term.cut();
      return tick === undefined ? undefined : { tick, events: 1 };
    },
    // Whatever was committed so far is at or before this, received or not.
    top: async (): Promise<Position> => positionOf((await state()).flushed, 0),
    barrier: () => connections.use((client) => markBarrier(client, names)),
    prunedThrough: async () => (await state()).pruned,
    read: (after, { pageEvents = defaultPageEvents, signal } = {}) =>
      term.read(after, { pageEvents, signal: signal ?? new AbortController().signal }),
    schemas: () => connections.use((client) => readSchemas(client, s, `${s}.wal_schema`)),
    partitions: () => connections.use((client) => readPartitions(client, s)),
    keepPartitions: (partitions) => connections.use((client) => keepPartitions(client, s, partitions)),
    register: (target) =>
      connections.use((client) =>
        placeTarget(client, s, target, {
          log: "wal",
          start: "select (pg_current_wal_flush_lsn() - '0/0')::bigint as tick, 0 as n",
        }),
      ),
    acknowledge: (acks) => connections.use((client) => acknowledgeTargets(client, s, acks)),
    targets: () => connections.use((client) => listTargets(client, s)),
    removeTarget: (idOrName) => connections.use((client) => forgetTarget(client, s, idOrName)),
    prune: ({ published } = {}) => term.prune(published, confirm === "published" && held.isBeyond()),
    async backlog() {
      const { heldBytes } = await state();
      const slowest = await connections.use((client) => slowestTarget(client, s));
      held.note(heldBytes);
      return { ...term.backlog(slowest), heldLogBytes: heldBytes, maxHeldLogBytes: maxHeldBytes };
    },
    wait: (timeoutMs, signal) => term.wait(timeoutMs, signal ?? new AbortController().signal),
    async close() {
      term.close();
      await candidate.close();
      await connections.close();
    },
  };
}
