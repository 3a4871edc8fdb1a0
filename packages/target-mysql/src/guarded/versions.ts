import type { HeldVersion, VersionWrite } from "@lockstep/core";
import type { Row, Session } from "../session/session.js";
import { textLiteral } from "../sql/literal.js";
import { packets } from "../sql/packets.js";

/** Versions of these rows of a table, locked: whoever writes one of them waits for this transaction. */
export async function lockVersions(
  session: Session,
  table: string,
  keys: readonly string[],
): Promise<readonly (HeldVersion | undefined)[]> {
  if (keys.length === 0) return [];
  // A row that isn't there can't be locked: its version can. In the order of keys, as all lanes do.
  const sorted = [...keys].toSorted();
  const rows = sorted.map((key) => `(${textLiteral(table)}, ${textLiteral(key)})`);
  await write(session, "INSERT INTO lockstep_row_version (table_name, row_key) VALUES ", rows, untouched);
  const held = new Map<string, HeldVersion | undefined>();
  for (let i = 0; i < sorted.length; i += keysPerStatement) {
    const found = await session.rows(lockRows, [table, sorted.slice(i, i + keysPerStatement)]);
    for (const row of found) held.set(row["row_key"]!, readHeld(row));
  }
  return keys.map((key) => held.get(key));
}

const keysPerStatement = 1000;
const untouched = " ON DUPLICATE KEY UPDATE row_key = lockstep_row_version.row_key";
/** ms since 1970, whatever the session's time zone. */
const now = "FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000)";

const lockRows = `SELECT row_key, stamp, node, seen, came_from, ${now} - deleted_at AS ago
  FROM lockstep_row_version WHERE table_name = ? AND row_key IN (?) ORDER BY row_key FOR UPDATE`;

function readHeld(row: Row): HeldVersion | undefined {
  if (row["stamp"] === "0") return undefined;
  const from = row["came_from"];
  const version = {
    stamp: Number(row["stamp"]),
    node: row["node"]!,
    seen: JSON.parse(row["seen"]!) as Record<string, number>,
    ...(from == null ? {} : { from }),
  };
  return row["ago"] == null ? { version } : { version, deletedMsAgo: Number(row["ago"]) };
}

/** Forgets versions of rows that were deleted longer than `keepMs` ago. */
export async function pruneVersions(session: Session, keepMs: number, limit: number): Promise<number> {
  return session.write(`DELETE FROM lockstep_row_version WHERE deleted_at < ${now} - ? LIMIT ?`, [
    keepMs,
    limit,
  ]);
}

/** Writes versions, whatever is there. */
export async function putVersions(
  session: Session,
  table: string,
  versions: readonly VersionWrite[],
): Promise<void> {
  const rows = versions.map(({ key, version, deleted }) => {
    const { stamp, node, seen, from } = version;
    const texts = [table, key, String(stamp), node, JSON.stringify(seen)].map(textLiteral);
    return `(${texts.join(", ")}, ${from === undefined ? "NULL" : textLiteral(from)}, ${deleted ? now : "NULL"})`;
  });
  await write(session, put, rows, replaced);
}

const put =
  "INSERT INTO lockstep_row_version (table_name, row_key, stamp, node, seen, came_from, deleted_at) VALUES ";
// VALUES() is the one form that MySQL and MariaDB both know.
const replaced = ` ON DUPLICATE KEY UPDATE ${["stamp", "node", "seen", "came_from", "deleted_at"]
  .map((column) => `${column} = VALUES(${column})`)
  .join(", ")}`;

async function write(session: Session, head: string, rows: readonly string[], tail: string): Promise<void> {
  for (const { sql } of packets(head, rows, ", ", tail, session.flavour.maxPacketBytes))
    await session.write(sql);
}
