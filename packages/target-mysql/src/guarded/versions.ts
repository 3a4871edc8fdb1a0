import type { HeldVersion, VersionWrite } from "@lockstep/core";
import { textLiteral } from "../sql/literal.js";
import { packets } from "../sql/packets.js";
import type { Row, Session } from "../session/session.js";

/** Versions of these rows of a table, locked: whoever writes one of them waits for this transaction. */
export async function lockVersions(
  session: Session,
  table: string,
  keys: readonly string[],
): Promise<readonly (HeldVersion | undefined)[]> {
  // In the order of keys, as all lanes do.
  const literals = keys.toSorted().map(textLiteral);
  const name = textLiteral(table);
  const { maxPacketBytes } = session.flavour;
  // A row that isn't there can't be locked: its version can.
  const missing = literals.map((key) => `(${name},${key})`);
  const insert = "INSERT IGNORE INTO lockstep_row_version (table_name, row_key) VALUES ";
  for (const { sql } of packets(insert, missing, ",", "", maxPacketBytes)) await session.write(sql);
  const held = new Map<string, HeldVersion | undefined>();
  const select = `SELECT row_key, stamp, node, seen, came_from, ${now} - deleted_at AS ago FROM lockstep_row_version WHERE table_name = ${name} AND row_key IN (`;
  for (const { sql } of packets(select, literals, ",", ") ORDER BY row_key FOR UPDATE", maxPacketBytes)) {
    for (const row of await session.rows(sql)) held.set(row["row_key"]!, heldOf(row));
  }
  return keys.map((key) => held.get(key));
}

const now = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";

function heldOf({ stamp, node, seen, came_from: from, ago }: Row): HeldVersion | undefined {
  if (stamp === "0") return undefined;
  const version = {
    stamp: Number(stamp),
    node: node!,
    seen: JSON.parse(seen!) as Record<string, number>,
    ...(from == null ? {} : { from }),
  };
  return ago == null ? { version } : { version, deletedMsAgo: Number(ago) };
}

/** Writes versions, whatever is there. */
export async function putVersions(
  session: Session,
  table: string,
  versions: readonly VersionWrite[],
): Promise<void> {
  const rows = versions
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, version: { stamp, node, seen, from }, deleted }) => {
      const texts = [table, key, String(stamp), node, JSON.stringify(seen)].map(textLiteral);
      return `(${texts.join(",")},${from === undefined ? "NULL" : textLiteral(from)},${deleted ? now : "NULL"})`;
    });
  const head =
    "INSERT INTO lockstep_row_version (table_name, row_key, stamp, node, seen, came_from, deleted_at) VALUES ";
  const set = ["stamp", "node", "seen", "came_from", "deleted_at"].map((name) => `${name} = VALUES(${name})`);
  const tail = ` ON DUPLICATE KEY UPDATE ${set.join(", ")}`;
  for (const { sql } of packets(head, rows, ",", tail, session.flavour.maxPacketBytes))
    await session.write(sql);
}
