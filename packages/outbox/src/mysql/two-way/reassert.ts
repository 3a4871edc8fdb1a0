import {
  newVersion,
  type Reasserted,
  type RowNote,
  type RowVersion,
  type RunStatement,
} from "@lockstep/core";
import { readVersion } from "../../read-version.js";
import { imageOfCells, whereKeys } from "../images.js";
import { keyCells } from "../key-range.js";
import { quoteTable, quoteText } from "../quote.js";
import type { TableShape } from "../table-shape.js";
import { versionTable } from "./version-body.js";

type Keys = readonly (readonly string[])[];

/** Versions of these rows, in their order; what `lock` says is appended to the query. */
export async function readVersions(
  run: RunStatement,
  table: string,
  keys: Keys,
  lock: "" | "FOR UPDATE" = "",
): Promise<readonly (RowVersion | undefined)[]> {
  const texts = keys.map((key) => JSON.stringify(key));
  const rows = await run(`SELECT row_key, stamp, node, seen FROM ${versionTable}
  WHERE table_name = ${quoteText(table)} AND row_key IN (${texts.map(quoteText).join(", ")}) ORDER BY row_key ${lock}`);
  const found = new Map(
    rows
      .filter((row) => String(row["stamp"]) !== "0")
      .map((row) => [String(row["row_key"]), readVersion(row)]),
  );
  return texts.map((text) => found.get(text));
}

/**
 * Gives rows versions that replace others. Rows are locked before versions, as whoever writes them does: otherwise the application could be in a deadlock with this.
 * Whoever writes such a row passes its version, so from the lock on it is there or it isn't.
 */
export async function writeOver(
  run: RunStatement,
  shape: TableShape,
  table: RowNote["table"],
  node: string,
  given: readonly Reasserted[],
): Promise<void> {
  // In the order of keys, as lanes do.
  const rows = given.toSorted((a, b) => (JSON.stringify(a.key) < JSON.stringify(b.key) ? -1 : 1));
  const keys = rows.map(({ key }) => key);
  const name = quoteText(table.name);
  await lockedKeys(run, shape, table, keys);
  // Locks what it finds, too: two that share the lock of a duplicate would wait for each other.
  await run(`INSERT INTO ${versionTable} (table_name, row_key)
  VALUES ${keys.map((key) => `(${name}, ${quoteText(JSON.stringify(key))})`).join(", ")} ON DUPLICATE KEY UPDATE stamp = stamp`);
  const held = await readVersions(run, table.name, keys, "FOR UPDATE");
  const there = await lockedKeys(run, shape, table, keys);
  const [clock] = await run(
    "SELECT CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) AS CHAR) AS now",
  );
  const now = Number(clock!["now"]);
  const values = rows.map(({ key, over }, i) => {
    const text = JSON.stringify(key);
    const { stamp, seen } = newVersion(node, now, [held[i], over]);
    const deletedAt = there.has(text) ? "NULL" : String(Math.floor(now / 1000));
    return `(${name}, ${quoteText(text)}, ${stamp}, ${quoteText(node)}, ${quoteText(JSON.stringify(seen))}, ${deletedAt})`;
  });
  await run(`INSERT INTO ${versionTable} (table_name, row_key, stamp, node, seen, deleted_at) VALUES ${values.join(", ")}
  ON DUPLICATE KEY UPDATE stamp = VALUES(stamp), node = VALUES(node), seen = VALUES(seen), came_from = NULL, deleted_at = VALUES(deleted_at)`);
}

/** Those of these keys that a row has, which is locked. */
async function lockedKeys(
  run: RunStatement,
  shape: TableShape,
  table: RowNote["table"],
  keys: Keys,
): Promise<ReadonlySet<string>> {
  const where = whereKeys(
    shape,
    keys.map((key) => ({ key })),
  );
  const found = await run(
    `SELECT ${keyCells(shape)} FROM ${quoteTable(table)} t FORCE INDEX (PRIMARY) WHERE ${where} LOCK IN SHARE MODE`,
  );
  return new Set(found.map((row) => imageOfCells(shape, row)[0]));
}
