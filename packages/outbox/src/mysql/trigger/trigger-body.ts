import type { ColumnSchema } from "@lockstep/core";
import { quoteName, quoteText } from "../quote.js";
import type { TableShape } from "../table-shape.js";
import { unlessPassedOver } from "./passed-over.js";
import { canonicalArray, jsonArray, needsCanonical } from "./json-text.js";

/** When a trigger fires. */
export type FiringEvent = "insert" | "update" | "delete";

const letters = { insert: "i", update: "u", delete: "d" } as const;

/**
 * The body of a row trigger that writes the row to `outbox` (quoted, with its database). No transaction is known here: rows of triggers make
 * their tick one transaction (PROTOCOL.md 7). One statement where the key allows it: the server resolves a body anew for every row. Pure.
 */
export function triggerBody(outbox: string, shape: TableShape, event: FiringEvent): string {
  // A key is NOT NULL whatever the catalog says of its columns.
  const keys = shape.keyColumns.map((column) => ({ ...column, nullable: false }));
  const row = event === "delete" ? "OLD" : "NEW";
  const image = event === "delete" ? "NULL" : jsonArray(shape.schema.columns, "NEW");
  const write = (key: string, before: string): string =>
    `INSERT INTO ${outbox} (tx, ends_tx, at, op, fingerprint, row_key, image, before_key, traceparent, origin)
VALUES (NULL, FALSE, UTC_TIMESTAMP(6), '${letters[event]}', ${quoteText(shape.schema.fingerprint)}, ${key}, ${image}, ${before}, @lockstep_traceparent, @lockstep_origin)`;
  const insert = (key: string, before: string): string =>
    event === "update" ? unlessPassedOver(shape, write(key, before)) : write(key, before);
  if (!needsCanonical(keys)) {
    const isSame = keys.map(({ name }) => `NEW.${quoteName(name)} <=> OLD.${quoteName(name)}`).join(" AND ");
    return insert(
      jsonArray(keys, row),
      event === "update" ? `IF(${isSame}, NULL, ${jsonArray(keys, "OLD")})` : "NULL",
    );
  }
  const isMoved = "CAST(old_key AS BINARY) <> CAST(new_key AS BINARY)";
  return `BEGIN
DECLARE new_key, old_key MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
${setKey("new_key", keys, row)}
${event === "update" ? setKey("old_key", keys, "OLD") : ""}
${insert("new_key", event === "update" ? `IF(${isMoved}, old_key, NULL)` : "NULL")};
END`;
}

function setKey(name: string, columns: readonly ColumnSchema[], row: "NEW" | "OLD"): string {
  const set = `SET ${name} = ${jsonArray(columns, row)};`;
  if (!needsCanonical(columns)) return set;
  return `${set}
IF LOCATE(X'5c75', ${name}) > 0 THEN
SET ${name} = ${canonicalArray(columns, row)};
END IF;`;
}
