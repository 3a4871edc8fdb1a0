import type { ColumnSchema } from "@lockstep/core";
import { quoteText } from "../quote.js";
import type { TableShape } from "../table-shape.js";
import { jsonArray } from "./json-text.js";

/** When a trigger fires. */
export type FiringEvent = "insert" | "update" | "delete";

const letters = { insert: "i", update: "u", delete: "d" } as const;

/**
 * The body of a row trigger that writes the row to `outbox` (quoted, with its database). No transaction is known here: rows of triggers make
 * their tick one transaction (PROTOCOL.md 7). Pure.
 */
export function triggerBody(outbox: string, { schema, keyColumns }: TableShape, event: FiringEvent): string {
  const row = event === "delete" ? "OLD" : "NEW";
  // A key is NOT NULL whatever the catalog says of its columns.
  const key = (of: "NEW" | "OLD"): string => jsonArray(keyColumns.map(notNull), of);
  const image = event === "delete" ? "NULL" : jsonArray(schema.columns, "NEW");
  const before =
    event === "update" ? "IF(CAST(old_key AS BINARY) = CAST(new_key AS BINARY), NULL, old_key)" : "NULL";
  return `BEGIN
DECLARE new_key, old_key MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
DECLARE new_image LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
SET new_key = ${key(row)};
SET old_key = ${event === "update" ? key("OLD") : "''"};
SET new_image = ${image};
-- The server gives NULL for a text beyond max_allowed_packet: an event without its values must not be.
IF new_key IS NULL OR old_key IS NULL${event === "delete" ? "" : " OR new_image IS NULL"} THEN
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'lockstep: the row is larger than max_allowed_packet as text';
END IF;
INSERT INTO ${outbox} (tx, ends_tx, at, op, fingerprint, row_key, image, before_key, traceparent, origin)
VALUES (NULL, FALSE, UTC_TIMESTAMP(6), '${letters[event]}', ${quoteText(schema.fingerprint)}, new_key, new_image, ${before}, @lockstep_traceparent, @lockstep_origin);
END`;
}

function notNull(column: ColumnSchema): ColumnSchema {
  return { ...column, nullable: false };
}
