import type { ColumnSchema } from "@lockstep/core";
import { cellOf } from "../cell.js";
import { quoteTable, quoteText } from "../quote.js";
import type { TableShape } from "../table-shape.js";
import { keyText } from "../trigger/json-text.js";
import type { FiringEvent } from "../trigger/trigger-body.js";

/** Where versions are kept: a table of the target that this database is, too. */
export const versionTable = "lockstep_row_version";

/** What the version triggers of a node go by. */
export interface VersionRules {
  readonly node: string;
  /** The database, where Lockstep's tables lie. */
  readonly database: string;
  /** Beginning of the names of the outbox's tables. */
  readonly prefix: string;
}

/**
 * The body of a two-way table's AFTER trigger: here only what was really written has a trigger, and made keys are known. In the log the version
 * stands right behind its row.
 *
 * An UPDATE that changes nothing has its trigger, but isn't in the log: it makes no version (one that no event tells of would refuse all that
 * other nodes write, for good). A column that was added since doesn't take part in that comparison, so the columns are counted before it is
 * believed. Pure.
 */
export function versionBody(rules: VersionRules, shape: TableShape, event: FiringEvent): string {
  const row = event === "delete" ? "OLD" : "NEW";
  const write = writeVersion(rules, shape, event, row);
  if (event !== "update") return `BEGIN\nIF @lockstep_origin IS NULL THEN\n${write};\nEND IF;\nEND`;
  const { columns } = shape.schema;
  return `BEGIN
IF @lockstep_origin IS NULL THEN
IF NOT (${sameCells(shape.keyColumns)}) THEN
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = ${quoteText(`${shape.schema.name.slice(0, 40)} is a two-way table: a key can't be changed; DELETE the row, INSERT it anew`)};
END IF;
IF NOT (${sameCells(columns.filter(({ generated }) => generated !== true))}) OR ${countColumns(shape)} <> ${columns.length} THEN
${write};
END IF;
END IF;
END`;
}

function writeVersion(
  { node, database }: VersionRules,
  { schema, keyColumns }: TableShape,
  event: FiringEvent,
  row: "NEW" | "OLD",
): string {
  // A key is NOT NULL whatever the catalog says of its columns.
  const keys = keyColumns.map((column) => ({ ...column, nullable: false }));
  const clock = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";
  const name = quoteText(node);
  const path = quoteText(`$."${node}"`);
  // Above what the row shows, and above this node's own newest write, which may be another one where a policy decided. "seen" is assigned
  // after "stamp" and reads the new one.
  return `INSERT INTO ${quoteTable({ namespace: database, name: versionTable })} (table_name, row_key, stamp, node, seen, deleted_at)
VALUES (${quoteText(schema.name)}, ${keyText(keys, row)}, ${clock}, ${name}, JSON_OBJECT(${name}, ${clock}), ${event === "delete" ? `${clock} DIV 1000` : "NULL"})
ON DUPLICATE KEY UPDATE stamp = GREATEST(VALUES(stamp), stamp + 1, CAST(COALESCE(JSON_EXTRACT(seen, ${path}), 0) AS SIGNED) + 1),
node = VALUES(node), seen = JSON_SET(seen, ${path}, stamp), came_from = NULL, deleted_at = VALUES(deleted_at)`;
}

/** By their texts in an image: what prints alike is the same to every node. */
function sameCells(columns: readonly ColumnSchema[]): string {
  return columns.map((column) => `${cellOf(column, "NEW")} <=> ${cellOf(column, "OLD")}`).join(" AND ");
}

function countColumns({ schema: { namespace, name } }: TableShape): string {
  return `(SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ${quoteText(namespace)} AND TABLE_NAME = ${quoteText(name)})`;
}

/**
 * The body of the outbox's BEFORE INSERT trigger: events of two-way tables get the version that their row has then. Whoever writes an event holds the row,
 * and with it the row's version; a plain read could be older than the row's image. Pure.
 */
export function eventVersionBody(
  { database, prefix }: VersionRules,
  tables: readonly { readonly namespace: string; readonly name: string }[],
): string {
  const own = (name: string): string => quoteTable({ namespace: database, name });
  const field = (name: string): string => `JSON_UNQUOTE(JSON_EXTRACT(s.definition, '$.${name}'))`;
  const names = tables.map(({ name }) => quoteText(name)).join(", ");
  return `BEGIN
IF NEW.version IS NULL AND NEW.op IN ('i', 'u', 'd', 's') THEN
SET NEW.version = (SELECT CONCAT('{"stamp":', v.stamp, ',"node":', JSON_QUOTE(v.node), ',"seen":', v.seen, IF(v.came_from IS NULL, '', CONCAT(',"from":', JSON_QUOTE(v.came_from))), '}')
FROM ${own(versionTable)} v WHERE v.row_key = NEW.row_key AND v.stamp > 0 AND v.table_name = (
SELECT ${field("name")} FROM ${own(`${prefix}table_schema`)} s WHERE s.fingerprint = NEW.fingerprint
AND ${field("namespace")} = ${quoteText(tables[0]!.namespace)} AND ${field("name")} IN (${names}) LIMIT 1) LOCK IN SHARE MODE);
END IF;
END`;
}
