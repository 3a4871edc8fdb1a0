import { LockstepError } from "@lockstep/core";
import type { DataSource } from "typeorm";
import { askMaster } from "./ask-master.js";
import { oneAtATime } from "../one-at-a-time.js";
import type { Freshness } from "./freshness.js";

const form = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})(?: ([0-9]+))?$/;

/** A place in the log of a cluster; of an unknown one where the role may not ask. */
interface Place {
  readonly lsn: bigint;
  readonly cluster: string | undefined;
}

/**
 * Freshness of a standby of PostgreSQL's own physical replication: a mark is a place in the write-ahead log, and the cluster whose log it is: places of others mean
 * nothing, however high they are.
 */
export function postgresStandby(primary: DataSource, standby: DataSource): Freshness {
  const written = placeAsked(
    primary,
    "case when not pg_is_in_recovery() then pg_current_wal_insert_lsn() end",
  );
  const replayed = placeAsked(standby, "pg_last_wal_replay_lsn()");
  return {
    space: "postgres",
    async mark() {
      const mark = await written();
      if (mark === undefined) throw new LockstepError("CONFIG_INVALID", "the primary is a standby itself");
      return mark;
    },
    async has(mark) {
      const wanted = placeOf(mark);
      const reached = await replayed();
      if (reached === undefined) {
        throw new LockstepError("CONFIG_INVALID", "this replica replays no log: it isn't a standby");
      }
      const { lsn, cluster } = placeOf(reached);
      if (cluster !== undefined && wanted.cluster !== undefined && cluster !== wanted.cluster)
        throw new LockstepError("READ_TOKEN_INVALID", "the token, or the primary, is of another cluster");
      return lsn >= wanted.lsn;
    },
    close: async () => undefined,
  };
}

/** Asks for a place of the log, with its cluster as far as that may be asked. */
function placeAsked(dataSource: DataSource, lsn: string): () => Promise<string | undefined> {
  let from = " from pg_control_system()";
  let cluster = ` || ' ' || system_identifier`;
  const ask = async (): Promise<string | undefined> =>
    (await askMaster(dataSource, `select (${lsn})::text${cluster} as place${from}`))["place"] ?? undefined;
  return oneAtATime(async () => {
    try {
      return await ask();
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== insufficientPrivilege || from === "") throw error;
      from = cluster = "";
      return ask();
    }
  });
}

const insufficientPrivilege = "42501";

/** @throws LockstepError READ_TOKEN_INVALID. */
function placeOf(mark: string): Place {
  const [, high, low, cluster] = form.exec(mark) ?? [];
  if (high === undefined || low === undefined)
    throw new LockstepError("READ_TOKEN_INVALID", "the token holds no place of a log");
  return { lsn: (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`), cluster };
}
