import { quoteName, quoteText } from "../quote.js";
import { jsonTexts, type RowTexts } from "./statements.js";

/** A table as its triggers must know it. */
export interface TriggerTable {
  readonly namespace: string;
  readonly name: string;
  readonly oid: string;
  readonly fingerprint: string;
  /** The condition that the table with the oid `$relation` has the columns and the key it had when this was read. */
  readonly unchanged: string;
  /** The condition that says the same of the table that it was read of, where a plan is made for it: see `as_planned`. */
  readonly unchangedAsPlanned: string;
  /** Texts of key and columns of a row named `t`, and the condition that it is the row `r`. */
  readonly keyCells: string;
  readonly cells: string;
  readonly keySame: string;
  /** Columns of the key, in its order. */
  readonly key: readonly string[];
  readonly columns: readonly { readonly name: string; readonly base: string }[];
  /** What the texts of its columns are made of: see `printedTypes`. */
  readonly types: readonly string[];
  /**
   * `statement`: triggers that see a statement's rows as a table. `row`: one row at a time, where the database fires no statement triggers (writes to a
   * partition by its own name, logical replication).
   */
  readonly level: "statement" | "row";
  /** Constraints that are checked at the end of the transaction are on it, or lead to it. */
  readonly hasDeferrable: boolean;
  /** Triggers don't see all values: rows are always read again. */
  readonly isHalfSeen: boolean;
}

/** A table's quoted name. */
export function nameOf({ namespace, name }: Pick<TriggerTable, "namespace" | "name">): string {
  return `${quoteName(namespace)}.${quoteName(name)}`;
}

/** Types whose texts need no escaping in JSON, and whose equal values have equal texts. */
const plain: ReadonlySet<string> = new Set(["int2", "int4", "int8", "uuid"]);

/** Whether its key is of such types. Pure. */
export function hasPlainKey({ key, columns }: Pick<TriggerTable, "key" | "columns">): boolean {
  const baseOf = (name: string): string => columns.find((column) => column.name === name)?.base ?? "";
  return key.every((name) => plain.has(baseOf(name)));
}

/** How its rows are written. Pure. */
export function textsOf(table: TriggerTable): Pick<RowTexts, "fingerprint" | "key" | "image"> {
  const join = " operator(pg_catalog.||) ";
  const cells = table.key.map((name) => `t.${quoteName(name)}::pg_catalog.text`).join(`${join}'","'${join}`);
  return {
    fingerprint: quoteText(table.fingerprint),
    key: hasPlainKey(table) ? `'["'${join}${cells}${join}'"]'` : jsonTexts(table.keyCells),
    image: jsonTexts(table.cells),
  };
}
