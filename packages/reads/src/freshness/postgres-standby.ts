import { LockstepError } from "@lockstep/core";
import type { DataSource } from "typeorm";
import { askMaster } from "./ask-master.js";
import { oneAtATime } from "../one-at-a-time.js";
import type { Freshness } from "./freshness.js";

const form = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/;

/** Freshness of a standby of PostgreSQL's own physical replication: a mark is a place in the write-ahead log. */
export function postgresStandby(primary: DataSource, standby: DataSource): Freshness {
  const place = oneAtATime(() =>
    askMaster(
      primary,
      "select pg_current_wal_insert_lsn()::text as lsn, pg_is_in_recovery()::text as standby",
    ),
  );
  const replayed = oneAtATime(() => askMaster(standby, "select pg_last_wal_replay_lsn()::text as lsn"));
  return {
    space: "postgres",
    async mark() {
      const { lsn, standby } = await place();
      if (standby === "true") throw new LockstepError("CONFIG_INVALID", "the primary is a standby itself");
      return lsn!;
    },
    async has(mark) {
      if (!form.test(mark))
        throw new LockstepError("READ_TOKEN_INVALID", "the token holds no place of a log");
      const { lsn } = await replayed();
      if (lsn === null || lsn === undefined) {
        throw new LockstepError("CONFIG_INVALID", "this replica replays no log: it isn't a standby");
      }
      return numberOf(lsn) >= numberOf(mark);
    },
    close: async () => undefined,
  };
}

function numberOf(lsn: string): bigint {
  const [high, low] = lsn.split("/");
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
