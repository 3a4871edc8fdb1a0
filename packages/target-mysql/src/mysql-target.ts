import { answeringDesk, LockstepError, type Target } from "@lockstep/core";
import { bulkLoader } from "./bulk/bulk-loader.js";
import { classify } from "./classify.js";
import { Session } from "./session/session.js";
import { keepSessions } from "./session/sessions.js";
import { tableReader } from "./session/table-reader.js";
import { ensureTables } from "./own-tables/ensure.js";
import {
  readCheckpoints,
  restartLane,
  setPausedFlag,
  setSeededFlag,
  takeEpoch,
} from "./lane/checkpoint-row.js";
import { openLane } from "./lane/lane-session.js";
import { conflictDesk } from "./guarded/conflict-desk.js";
import { letterDesk } from "./letters/letter-desk.js";
import { listKeys } from "./rows/list-keys.js";
import { resolveOptions, type MysqlTargetOptions, type ResolvedOptions } from "./options.js";

/** Sessions beside the lanes: status service, pauses, letters. */
const sideSessions = 4;

/**
 * A target in MariaDB 10.11 or newer, or MySQL 8.0.17 or newer. Nothing connects before `open()`.
 *
 * The user needs SELECT, INSERT, UPDATE, DELETE on the database, CREATE for Lockstep's tables (first start) and CREATE, ALTER for managed
 * ones, and SELECT on every table elsewhere that references a mirrored one.
 * @throws LockstepError CONFIG_INVALID.
 */
export function mysqlTarget(options: MysqlTargetOptions): Target {
  const resolved = resolveOptions(options);
  const connect = (): Promise<Session> => connection(resolved, resolved.statementTimeoutMs);
  const sessions = keepSessions(connect, sideSessions);
  const tables = { ...resolved, connectForDdl: () => connection(resolved, undefined) };
  return {
    name: resolved.name,
    address: resolved.address,
    capabilities: { transactions: true },
    open: () => sessions.use(async (session) => ({ id: await ensureTables(session, resolved.namespace) })),
    lane: ({ source, partition }) =>
      openLane({
        lane: { source, partition },
        tables,
        connect: () => connection(resolved, resolved.statementTimeoutMs, source),
      }),
    letters:
      options.beforeDiscard === undefined
        ? letterDesk(sessions)
        : answeringDesk(letterDesk(sessions), options.beforeDiscard),
    conflicts: conflictDesk(sessions),
    checkpoints: () => sessions.use(readCheckpoints),
    setPaused: async (lane, paused) =>
      refuseUnknown(await sessions.use((session) => setPausedFlag(session, lane, paused)), resolved, lane),
    restart: async (lane, start) =>
      refuseUnknown(await sessions.use((session) => restartLane(session, lane, start)), resolved, lane),
    setSeeded: async (lane) =>
      refuseUnknown(await sessions.use((session) => setSeededFlag(session, lane)), resolved, lane),
    keys: (schema, page) => sessions.use((session) => listKeys(session, resolved.namespace, schema, page)),
    unseat: async (lane) =>
      refuseUnknown(await sessions.use((session) => takeEpoch(session, lane)), resolved, lane),
    loader: (source, held) =>
      bulkLoader(() => connection(resolved, resolved.statementTimeoutMs, source), source, held),
    reader: () => tableReader(() => connection(resolved, undefined), resolved.namespace),
    classify,
    close: () => sessions.close(),
  };
}

function refuseUnknown(
  isKnown: boolean,
  { name }: ResolvedOptions,
  { source, partition }: { readonly source: string; readonly partition: number },
): void {
  if (isKnown) return;
  throw new LockstepError("LANE_UNKNOWN", `${name} has no lane ${source}/${partition}`);
}

function connection(
  options: ResolvedOptions,
  statementTimeoutMs: number | undefined,
  origin?: string,
): Promise<Session> {
  return Session.open({
    url: options.url,
    database: options.namespace,
    statementTimeoutMs,
    ...(origin !== undefined && { origin }),
  });
}
