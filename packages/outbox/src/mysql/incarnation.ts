import { createHash } from "node:crypto";
import type { MysqlSession } from "./connections.js";
import type { TableNames } from "./ddl.js";

/**
 * Identity of the outbox's database (PROTOCOL.md 11): the server, which is another one after a fail-over, the database, and the
 * outbox itself, which is another one after it was removed and made again.
 */
export async function incarnationOf(session: MysqlSession, names: TableNames): Promise<string> {
  // server_uuid on MySQL, server_uid on MariaDB; where there is neither, the outbox's own id has to do.
  const server = await session.rows(
    `SHOW GLOBAL VARIABLES WHERE variable_name IN ('server_uuid', 'server_uid')`,
  );
  const [own] = await session.rows(`SELECT incarnation, DATABASE() FROM ${names.state}`);
  return createHash("sha256")
    .update(JSON.stringify([server, own]))
    .digest("hex")
    .slice(0, 32);
}
