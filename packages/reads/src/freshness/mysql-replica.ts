import { LockstepError } from "@lockstep/core";
import type { DataSource } from "typeorm";
import { oneAtATime } from "../one-at-a-time.js";
import { askMaster } from "./ask-master.js";
import type { Freshness } from "./freshness.js";

/** Settings of {@link mysqlReplica}. */
export interface MysqlReplicaOptions {
  /** Name of the source, which its tokens carry: those of another one are refused. Default: the primary's database. */
  readonly source?: string;
}

/**
 * Freshness of a replica of MySQL's or MariaDB's own replication: a mark is the set of GTIDs that the primary has committed. The primary writes a binlog with GTIDs.
 * MariaDB's don't say whose they are: there a mark names the server, and those of a server that the primary hasn't been since this process began aren't believed.
 */
export function mysqlReplica(
  primary: DataSource,
  replica: DataSource,
  { source = String(primary.driver.database) }: MysqlReplicaOptions = {},
): Freshness {
  const dialect = oneAtATime(async () =>
    /mariadb/i.test((await askMaster(primary, "SELECT VERSION() AS version"))["version"] ?? "")
      ? mariadb
      : mysql,
  );
  let known: Dialect | undefined;
  const spoken = async (): Promise<Dialect> => (known ??= await dialect());
  // More than one where the primary is a cluster behind one address, or has failed over.
  const servers = new Set<string>();
  const place = oneAtATime(async () => {
    const { gtids, server } = await askMaster(primary, (await spoken()).place);
    if (server && servers.size < maxServers) servers.add(server);
    return { gtids, server };
  });
  return {
    space: `mysql:${source}`,
    async mark() {
      const { gtids, server } = await place();
      if (gtids) return [gtids.replaceAll(/\s/g, ""), ...(server ? [server] : [])].join(" ");
      throw new LockstepError(
        "CONFIG_INVALID",
        "the primary writes no binlog with GTIDs: nothing can tell how fresh a replica is",
      );
    },
    async has(mark) {
      const { form, holds } = await spoken();
      const [gtids = "", server] = mark.split(" ");
      if (!form.test(mark)) throw new LockstepError("READ_TOKEN_INVALID", "the token holds no GTIDs");
      if (server !== undefined && !servers.has(server)) await place();
      if (server !== undefined && !servers.has(server)) return false;
      return (await askMaster(replica, holds(gtids)))["has"] === "1";
    },
    close: async () => undefined,
  };
}

const maxServers = 100;

interface Dialect {
  readonly place: string;
  /** Of a mark: its GTIDs, and the server where they don't name it. */
  readonly form: RegExp;
  /** The mark has been checked against `form`: nothing else gets into the text. */
  readonly holds: (gtids: string) => string;
}

const mysql: Dialect = {
  place: "SELECT @@GLOBAL.gtid_executed AS gtids",
  form: /^[0-9a-f:,-]+$/i,
  holds: (gtids) => `SELECT GTID_SUBSET('${gtids}', @@GLOBAL.gtid_executed) AS has`,
};

// A time-out of 0: it says at once whether it is there.
const mariadb: Dialect = {
  place: `SELECT @@GLOBAL.gtid_binlog_pos AS gtids,
  SHA1(CONCAT_WS('/', @@hostname, @@port, @@datadir, @@server_id)) AS server`,
  form: /^\d+-\d+-\d+(?:,\d+-\d+-\d+)* [0-9a-f]{40}$/,
  holds: (gtids) => `SELECT MASTER_GTID_WAIT('${gtids}', 0) = 0 AS has`,
};
