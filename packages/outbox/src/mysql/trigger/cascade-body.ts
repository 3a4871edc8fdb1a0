import { tableId } from "@lockstep/core";
import { quoteName, quoteTable, quoteText } from "../quote.js";
import type { CascadeWalk, WalkState, WalkStep } from "./cascade-walk.js";
import { declareKey, type FollowedTable, isKeyed, keyVariables, maxKeyColumns } from "./followed-table.js";
import { jsonArray, keyText } from "./json-text.js";

/** What the bodies of one table's triggers work with. */
export interface CascadeSettings {
  /** Quoted, with their database. */
  readonly outbox: string;
  readonly cascade: string;
  /** What the row's own statement does. */
  readonly event: "update" | "delete";
  readonly walk: CascadeWalk;
  readonly tableOf: (table: WalkState["table"]) => FollowedTable;
}

/**
 * The table in which a BEFORE trigger notes the rows that foreign keys will change, for the AFTER trigger to see what became of them. Empty
 * between statements. Its key is random, and rows are removed one by one by that key: no gap of it is ever locked, so that writers don't meet there.
 */
export function cascadeTable(name: string): string {
  const keys = Array.from({ length: maxKeyColumns }, (_, i) => `  k${i} BLOB NULL`).join(",\n");
  return `CREATE TABLE IF NOT EXISTS ${name} (
  token CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state SMALLINT NOT NULL,
  row_hash BINARY(20) NOT NULL,
  depth SMALLINT NOT NULL,
  row_key MEDIUMTEXT NOT NULL,
${keys},
  PRIMARY KEY (token, state, row_hash)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin ROW_FORMAT = DYNAMIC`;
}

/** Statements that note what a delete of the row, or its change, will change along. `row`: whose values the children point to. Pure. */
export function noteAlong(settings: CascadeSettings, row: "OLD" | "NEW"): string {
  const { walk, cascade } = settings;
  const first = walk.steps
    .filter(({ from }) => from === undefined)
    .map((step) => noteChildren(settings, step, row));
  const further = walk.steps.filter(({ from }) => from !== undefined);
  if (further.length === 0) return first.join("\n");
  const froms = [...new Set(further.map(({ from }) => from!))];
  // Level by level, each locked before the next is looked for: no child can come while its parent is held.
  return `${first.join("\n")}
BEGIN
DECLARE lockstep_depth INT DEFAULT 1;
WHILE EXISTS (SELECT 1 FROM ${cascade} w WHERE w.token = lockstep_token AND w.depth = lockstep_depth AND w.state IN (${froms.map((from) => stateOf(from, row)).join(", ")})) DO
${froms.map((from) => followState(settings, from, row)).join("\n")}
SET lockstep_depth = lockstep_depth + 1;
END WHILE;
END;`;
}

/** One level on from the rows noted in one state. */
function followState(settings: CascadeSettings, from: WalkState, row: "OLD" | "NEW"): string {
  const parent = settings.tableOf(from.table);
  const steps = settings.walk.steps.filter((step) => step.from === from);
  return eachNoted(settings, parent, {
    columns: [],
    where: `w.depth = lockstep_depth AND w.state = ${stateOf(from, row)}`,
    body: steps.map((step) => noteChildren(settings, step, row)).join("\n"),
  });
}

/** Statements that write what became of the rows that were noted, and forget them. Pure. */
export function writeAlong(settings: CascadeSettings): string {
  const { walk, tableOf } = settings;
  const tables = new Map(walk.states.map(({ table }) => [tableId(table), table]));
  // Those that are furthest away first.
  return [...tables.values()]
    .toReversed()
    .map((table) => {
      const states = walk.states.filter((state) => tableId(state.table) === tableId(table));
      return writeTable(settings, tableOf(table), states);
    })
    .join("\n");
}

function writeTable(settings: CascadeSettings, table: FollowedTable, states: readonly WalkState[]): string {
  const { cascade } = settings;
  const numbers = states.flatMap((state) => [stateOf(state, "OLD"), stateOf(state, "NEW")]);
  return eachNoted(settings, table, {
    columns: [
      ["state", "SMALLINT"],
      ["row_hash", "BINARY(20)"],
      ["row_key", "MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"],
    ],
    where: `w.state IN (${numbers.join(", ")}) ORDER BY w.depth DESC`,
    body: `${table.isCaptured ? writeRow(settings, table) : ""}
DELETE FROM ${cascade} WHERE token = lockstep_token AND state = lockstep_state AND row_hash = lockstep_row_hash;`,
  });
}

/**
 * The row as it is now: whether it went, changed, or stayed as it was is not worked out but read, under a lock (PROTOCOL.md 8). Found under another
 * key where the key's collation takes both for the same.
 */
function writeRow({ outbox }: CascadeSettings, table: FollowedTable): string {
  const { schema } = table.shape;
  return `BEGIN
DECLARE lockstep_here BOOLEAN DEFAULT FALSE;
DECLARE lockstep_now MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
DECLARE lockstep_image LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
SET lockstep_now = lockstep_row_key;
SELECT TRUE, ${keyText(keysOf(table), "c")}, ${jsonArray(schema.columns, "c")} INTO lockstep_here, lockstep_now, lockstep_image
FROM ${quoteTable(schema)} c WHERE ${isKeyed(table, "c")} LOCK IN SHARE MODE;
INSERT INTO ${outbox} (tx, ends_tx, at, op, fingerprint, row_key, image, before_key, traceparent, origin)
VALUES (NULL, FALSE, UTC_TIMESTAMP(6), IF(lockstep_here, 'u', 'd'), ${quoteText(schema.fingerprint)}, lockstep_now, lockstep_image,
IF(lockstep_now = lockstep_row_key, NULL, lockstep_row_key), @lockstep_traceparent, @lockstep_origin);
END;`;
}

interface Each {
  /** Columns of the notes beside the key, each with its type: the body finds them in variables. */
  readonly columns: readonly (readonly [string, string])[];
  readonly where: string;
  readonly body: string;
}

/** Runs statements for each note, with the row's key in variables. */
function eachNoted({ cascade }: CascadeSettings, table: FollowedTable, each: Each): string {
  const names = each.columns.map(([name]) => name);
  const keys = keyVariables(table);
  const read = [...names, ...keys.map((_, i) => `k${i}`)].map((name) => `w.${name}`).join(", ");
  return `BEGIN
DECLARE lockstep_done BOOLEAN DEFAULT FALSE;
${each.columns.map(([name, type]) => `DECLARE lockstep_${name} ${type};`).join("\n")}
${declareKey(table)}
DECLARE lockstep_rows CURSOR FOR SELECT ${read} FROM ${cascade} w WHERE w.token = lockstep_token AND ${each.where};
DECLARE CONTINUE HANDLER FOR NOT FOUND SET lockstep_done = TRUE;
OPEN lockstep_rows;
lockstep_each: LOOP
FETCH lockstep_rows INTO ${[...names.map((name) => `lockstep_${name}`), ...keys].join(", ")};
IF lockstep_done THEN
LEAVE lockstep_each;
END IF;
${each.body}
SET lockstep_done = FALSE;
END LOOP;
CLOSE lockstep_rows;
END;`;
}

/**
 * Locks the children behind one foreign key and notes them. In share mode: a lock for update counts as a write of the child's table, and the server
 * refuses statements that read it then (1442). What is noted already stays: a cycle ends there.
 */
function noteChildren(settings: CascadeSettings, { from, key, to }: WalkStep, row: "OLD" | "NEW"): string {
  const { cascade, event, tableOf } = settings;
  const child = tableOf(key.child);
  const parent = from && tableOf(from.table);
  const pairs = key.childColumns.map(
    (column, i) => `c.${quoteName(column)} = ${parent ? "p" : row}.${quoteName(key.parentColumns[i]!)}`,
  );
  const text = keyText(keysOf(child), "c");
  const columns = child.shape.keyColumns.map(({ name }) => `c.${quoteName(name)}`);
  const tables = `${parent ? `${quoteTable(parent.shape.schema)} p JOIN ` : ""}${quoteTable(child.shape.schema)} c`;
  const where = [...(parent ? [isKeyed(parent, "p")] : []), ...pairs].join(" AND ");
  const note = `INSERT INTO ${cascade} (token, state, row_hash, depth, row_key, ${columns.map((_, i) => `k${i}`).join(", ")})
SELECT lockstep_token, ${stateOf(to, row)}, UNHEX(SHA1(${text})), ${parent ? "lockstep_depth + 1" : 1}, ${text}, ${columns.join(", ")} FROM ${tables}
WHERE ${where} LOCK IN SHARE MODE ON DUPLICATE KEY UPDATE ${cascade}.depth = ${cascade}.depth;`;
  return parent || event === "delete" ? note : `IF ${isChanged(key.parentColumns)} THEN\n${note}\nEND IF;`;
}

/** Byte by byte: a foreign key also acts where its collation takes both values for the same. */
export function isChanged(columns: readonly string[]): string {
  const same = columns.map(
    (name) => `CAST(OLD.${quoteName(name)} AS BINARY) <=> CAST(NEW.${quoteName(name)} AS BINARY)`,
  );
  return `NOT (${same.join(" AND ")})`;
}

/** Notes by the old values and by the new ones are two walks. */
function stateOf({ number }: WalkState, row: "OLD" | "NEW"): number {
  return row === "OLD" ? number : -number;
}

/** A key is NOT NULL whatever the catalog says of its columns. */
function keysOf({ shape }: FollowedTable) {
  return shape.keyColumns.map((column) => ({ ...column, nullable: false }));
}
