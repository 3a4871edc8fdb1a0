import { LockstepError } from "@lockstep/core";
import type { DataSource } from "typeorm";
import { oneAtATime } from "../one-at-a-time.js";
import { askMaster } from "./ask-master.js";
import type { Freshness } from "./freshness.js";

/**
 * Freshness of a replica of MySQL's or MariaDB's own replication: a mark is the set of GTIDs that the primary has committed. The primary writes a binlog with GTIDs.
 */
export function mysqlReplica(primary: DataSource, replica: DataSource): Freshness {
  const dialect = oneAtATime(async () =>
    /mariadb/i.test((await askMaster(primary, "SELECT VERSION() AS version"))["version"] ?? "")
      ? mariadb
      : mysql,
  );
  let known: Dialect | undefined;
  const spoken = async (): Promise<Dialect> => (known ??= await dialect());
  const place = oneAtATime(async () => askMaster(primary, (await spoken()).place));
  return {
    space: "mysql",
    async mark() {
      const gtids = (await place())["gtids"];
      if (gtids) return gtids.replaceAll(/\s/g, "");
      throw new LockstepError(
        "CONFIG_INVALID",
        "the primary writes no binlog with GTIDs: nothing can tell how fresh a replica is",
      );
    },
    async has(mark) {
      const { form, holds } = await spoken();
      if (!form.test(mark)) throw new LockstepError("READ_TOKEN_INVALID", "the token holds no GTIDs");
      return (await askMaster(replica, holds(mark)))["has"] === "1";
    },
    close: async () => undefined,
  };
}

interface Dialect {
  readonly place: string;
  readonly form: RegExp;
  /** The mark has been checked against `form`: nothing else gets into the text. */
  readonly holds: (mark: string) => string;
}

const mysql: Dialect = {
  place: "SELECT @@GLOBAL.gtid_executed AS gtids",
  form: /^[0-9a-f:,-]+$/i,
  holds: (mark) => `SELECT GTID_SUBSET('${mark}', @@GLOBAL.gtid_executed) AS has`,
};

// A time-out of 0: it says at once whether it is there.
const mariadb: Dialect = {
  place: "SELECT @@GLOBAL.gtid_binlog_pos AS gtids",
  form: /^\d+-\d+-\d+(?:,\d+-\d+-\d+)*$/,
  holds: (mark) => `SELECT MASTER_GTID_WAIT('${mark}', 0) = 0 AS has`,
};
