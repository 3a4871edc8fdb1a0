import type { LetterFilter } from "@lockstep/core";
import type { Values } from "../session/session.js";

/** A WHERE clause and its values. */
export interface Condition {
  readonly sql: string;
  readonly values: Values;
}

/** The condition of a filter; every field narrows, an empty list of ids or states finds nothing. */
export function conditionOf(filter: LetterFilter, ...more: readonly Condition[]): Condition {
  const parts: Condition[] = [...more];
  const equal = (column: string, value: string | number | undefined): void => {
    if (value !== undefined) parts.push({ sql: `${column} = ?`, values: [value] });
  };
  const among = (column: string, values: readonly string[] | undefined): void => {
    if (values === undefined) return;
    parts.push(
      values.length === 0 ? { sql: "FALSE", values: [] } : { sql: `${column} IN (?)`, values: [values] },
    );
  };
  among("id", filter.ids);
  equal("source", filter.source);
  equal("part", filter.partition);
  equal("table_id", filter.table);
  among("state", filter.states);
  equal("code", filter.code);
  if (filter.text !== undefined) parts.push(foundIn(filter.text, filter.keysOf));
  return {
    sql: parts.length === 0 ? "TRUE" : parts.map((part) => `(${part.sql})`).join(" AND "),
    values: parts.flatMap((part) => [...part.values]),
  };
}

function foundIn(text: string, keysOf: readonly string[] | undefined): Condition {
  const shown = keysOf?.length === 0 ? "FALSE" : "fingerprint IN (?)";
  const key = keysOf === undefined ? "row_key" : `IF(${shown}, row_key, NULL)`;
  return {
    sql: `LOCATE(LOWER(?), LOWER(CONCAT_WS('\\n', table_id, ${key}, code, about))) > 0`,
    values: keysOf === undefined || keysOf.length === 0 ? [text] : [text, keysOf],
  };
}
