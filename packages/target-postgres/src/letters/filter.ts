import type { LetterFilter } from "@lockstep/core";
import { arrayText } from "../sql/quote.js";

/** Collects parameters; gives each its placeholder. */
export class Parameters {
  readonly values: (string | null)[] = [];

  add(value: string | null): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

/** A filter as an SQL condition on letters `l`. */
export function filterCondition(filter: LetterFilter, parameters: Parameters): string {
  const conditions: string[] = [];
  const add = (value: string): string => parameters.add(value);
  if (filter.ids !== undefined)
    conditions.push(`l.id = any(${add(arrayText(filter.ids.filter(isId)))}::bigint[])`);
  if (filter.source !== undefined) conditions.push(`l.source = ${add(filter.source)}`);
  if (filter.partition !== undefined)
    conditions.push(`l.partition = ${add(String(filter.partition))}::integer`);
  if (filter.table !== undefined) conditions.push(`l.table_name = ${add(filter.table)}`);
  if (filter.states !== undefined) conditions.push(`l.state = any(${add(arrayText(filter.states))}::text[])`);
  if (filter.code !== undefined) conditions.push(`l.code = ${add(filter.code)}`);
  if (filter.text !== undefined) {
    const pattern = `${add(`%${filter.text.replaceAll("\u0000", "").replace(/[\\%_]/g, "\\$&")}%`)}::text`;
    const { keysOf } = filter;
    const key =
      keysOf === undefined
        ? "l.row_key"
        : `case when l.schema_fingerprint = any(${add(arrayText(keysOf))}::text[]) then l.row_key end`;
    const columns = ["l.table_name", key, "l.code", "l.about"];
    conditions.push(`(${columns.map((column) => `${column} ilike ${pattern}`).join(" or ")})`);
  }
  return conditions.length === 0 ? "true" : conditions.join(" and ");
}

/** True for what an id can look like here; others name no letter. */
export function isId(id: string): boolean {
  return /^\d{1,18}$/.test(id);
}
