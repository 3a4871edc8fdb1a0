import { randomUUID } from "node:crypto";
import { LockstepError } from "@lockstep/core";
import { lockName } from "../lock-name.js";
import type { Session } from "../session/session.js";
import { ownTables } from "./ddl.js";

/** What is added to tables that were made before: raised with {@link addMissing}. */
const layout = 4;
const lockSeconds = 30;

/**
 * Makes what is missing of Lockstep's tables and returns the target's uuid. One process at a time; where everything is there it only reads,
 * so that no right to create tables is needed after the first start.
 */
export async function ensureTables(session: Session, database: string): Promise<string> {
  const known = await identity(session, database);
  if (known !== undefined) return known;
  const name = lockName("ensure", database);
  const [lock] = await session.rows("SELECT GET_LOCK(?, ?) AS got", [name, lockSeconds]);
  if (lock?.["got"] !== "1") {
    throw new LockstepError(
      "TARGET_UNAVAILABLE",
      "another process is making Lockstep's tables in the target",
    );
  }
  try {
    for (const [table, body] of Object.entries(ownTables)) {
      await session.write(
        `CREATE TABLE IF NOT EXISTS ${table} (${body}) ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE ${session.flavour.exactCollation}`,
      );
    }
    await addMissing(session, database);
    // The uuid comes last: who finds it finds all tables.
    await session.write("INSERT IGNORE INTO lockstep_identity (one, id, layout) VALUES (1, ?, ?)", [
      randomUUID(),
      layout,
    ]);
    await session.write("UPDATE lockstep_identity SET layout = ? WHERE layout < ?", [layout, layout]);
    return (await identity(session, database))!;
  } finally {
    await session.rows("SELECT RELEASE_LOCK(?)", [name]);
  }
}

async function identity(session: Session, database: string): Promise<string | undefined> {
  const [table] = await session.rows(
    "SELECT COUNT(*) AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?)",
    [database, Object.keys(ownTables)],
  );
  if (Number(table?.["n"]) < Object.keys(ownTables).length) return undefined;
  const [row] = await session.rows("SELECT id FROM lockstep_identity WHERE one = 1 AND layout >= ?", [
    layout,
  ]);
  return row?.["id"] ?? undefined;
}

const added = [
  ["lockstep_checkpoint", "restarts", "BIGINT NOT NULL DEFAULT 0"],
  ["lockstep_dead_letter", "version", "LONGTEXT NULL"],
] as const;

// MySQL has no ADD COLUMN IF NOT EXISTS.
async function addMissing(session: Session, database: string): Promise<void> {
  for (const [table, column, definition] of added) {
    const [found] = await session.rows(
      "SELECT COUNT(*) AS n FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = ?",
      [database, table, column],
    );
    if (found?.["n"] === "0") await session.write(`ALTER TABLE ${table} ADD COLUMN ${column} ${definition}`);
  }
}
