import { LockstepError } from "@lockstep/core";
import type { DataSource } from "typeorm";
import { askMaster } from "./ask-master.js";
import { oneAtATime } from "../one-at-a-time.js";
import type { Freshness } from "./freshness.js";

const form = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})(?: ([0-9]+) ([0-9]+))?$/;

/** A place in a log: of which cluster, and which of its histories; of unknown ones where the role may not ask. */
interface Place {
  readonly lsn: bigint;
  readonly cluster: string | undefined;
  readonly timeline: string | undefined;
}

/** What is asked of a server: a place of its log, and the timeline that this is a place of. */
interface Question {
  readonly lsn: string;
  readonly timeline: string;
}

const writing: Question = {
  lsn: "case when not pg_is_in_recovery() then pg_current_wal_insert_lsn() end",
  timeline: "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int",
};

// No function says which timeline is replayed. What it receives, which only some roles see, leads through it; the others follow with restartpoints.
const replaying: Question = {
  lsn: "case when pg_is_in_recovery() then pg_last_wal_replay_lsn() end",
  timeline: `greatest((select max(received_tli) from pg_stat_wal_receiver),
    (select min_recovery_end_timeline from pg_control_recovery()), (select timeline_id from pg_control_checkpoint()))`,
};

/**
 * Freshness of a standby of PostgreSQL's own physical replication: a mark is a place in the write-ahead log, with the cluster whose log it is and the timeline: places of
 * others mean nothing, however high they are.
 */
export function postgresStandby(primary: DataSource, standby: DataSource): Freshness {
  const written = placeAsked(primary, writing);
  const replayed = placeAsked(standby, replaying);
  return {
    space: "postgres",
    async mark() {
      const mark = await written();
      if (mark === undefined) throw new LockstepError("CONFIG_INVALID", "the primary is a standby itself");
      return mark;
    },
    async has(mark) {
      const wanted = placeOf(mark);
      const text = await replayed();
      if (text === undefined) {
        throw new LockstepError("CONFIG_INVALID", "this replica replays no log: it isn't a standby");
      }
      const reached = placeOf(text);
      if (differ(reached.cluster, wanted.cluster))
        throw new LockstepError("READ_TOKEN_INVALID", "the token, or the primary, is of another cluster");
      // After a promotion, or a restore, places of before and of a standby that stayed behind are of another history.
      return !differ(reached.timeline, wanted.timeline) && reached.lsn >= wanted.lsn;
    },
    close: async () => undefined,
  };
}

function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** Asks for a place of the log, with its cluster and timeline as far as those may be asked. */
function placeAsked(dataSource: DataSource, { lsn, timeline }: Question): () => Promise<string | undefined> {
  const whole = `concat_ws(' ', (${lsn}), (select system_identifier from pg_control_system()), ${timeline})`;
  let wanted = `case when (${lsn}) is not null then ${whole} end`;
  const ask = async (): Promise<string | undefined> =>
    (await askMaster(dataSource, `select ${wanted} as place`))["place"] ?? undefined;
  return oneAtATime(async () => {
    try {
      return await ask();
    } catch (error) {
      const bare = `(${lsn})::text`;
      if ((error as { readonly code?: unknown }).code !== insufficientPrivilege || wanted === bare)
        throw error;
      wanted = bare;
      return ask();
    }
  });
}

const insufficientPrivilege = "42501";

/** @throws LockstepError READ_TOKEN_INVALID. */
function placeOf(mark: string): Place {
  const [, high, low, cluster, timeline] = form.exec(mark) ?? [];
  if (high === undefined || low === undefined)
    throw new LockstepError("READ_TOKEN_INVALID", "the token holds no place of a log");
  return { lsn: (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`), cluster, timeline };
}
