import type { Engine } from "@lockstep/core";
import type { ComparedColumn, StoredColumn } from "./column.js";
import { classOf, type Form, formOf, type StoredClass } from "./form.js";

/** A column of the source and its counterpart. `why`: they are not compared. */
export interface Pair {
  readonly here: StoredColumn;
  readonly there?: StoredColumn;
  readonly form?: Form;
  readonly part: ComparedColumn["part"];
  readonly why?: string;
}

/** A database, as far as its types tell. */
type Typed = { readonly engine: Engine };

/** Looks for the counterpart of a column, which the target calls `wanted`. Pure. */
export function pairOf(
  source: Typed,
  target: Typed,
  here: StoredColumn,
  columns: readonly StoredColumn[],
  wanted: string | undefined,
): Pair {
  const part = partOf(source, here);
  if (wanted === undefined) return { here, part, why: "the mapping leaves it out" };
  const folded = (name: string): string => (target.engine === "mysql" ? name.toLowerCase() : name);
  const there = columns.find(({ name }) => folded(name) === folded(wanted));
  if (there === undefined) return { here, part, why: "the target has no such column" };
  const form = formOf(
    { engine: source.engine, type: here.type },
    { engine: target.engine, type: there.type },
  );
  if (form !== undefined) return { here, there, form, part: form === "padded" ? "free" : part };
  return { here, there, part, why: `nothing tells whether ${here.type} equals ${there.type}` };
}

const plain: ReadonlySet<StoredClass> = new Set<StoredClass>([
  "number",
  "float",
  "bytes",
  "bits",
  "moment",
  "date",
  "time",
  "uuid",
]);
const longestFree = 255;
/** At most 64 KiB. */
const shortTexts = /^(varchar|char|tinytext|text|enum|set)\b/;

/** How a column of this side stands in a text of the row. Pure. */
export function partOf(
  { engine }: Typed,
  { type, key }: Pick<StoredColumn, "type" | "key">,
): ComparedColumn["part"] {
  if (plain.has(classOf({ engine, type }))) return "plain";
  if (key !== undefined) return "free";
  if (engine === "mysql" && shortTexts.test(type)) return "free";
  const length = Number(/\((\d+)\)/.exec(type)?.[1] ?? Infinity);
  return length <= longestFree ? "free" : "long";
}

/** Whether both sides sort by this column alike. Wrong answers cost time, not truth: a row that one side looks for elsewhere is looked at again by its key. Pure. */
export function isOrderedAlike(source: Typed, target: Typed, { here, there }: Pair): boolean {
  const isOneEngine = source.engine === target.engine;
  switch (classOf({ engine: source.engine, type: here.type })) {
    case "number":
    case "float":
    case "moment":
    case "date":
    case "bytes":
      return true;
    case "uuid":
      // MariaDB's own type has an order of its own.
      return isOneEngine || source.engine === "postgres";
    case "text":
    case "padded":
      return isOneEngine ? here.collation === there?.collation : isBinary(here) && isBinary(there);
    default:
      return isOneEngine && here.type === there?.type;
  }
}

function isBinary(column: StoredColumn | undefined): boolean {
  return /^(C|POSIX|C\.utf-?8)$|_bin$/i.test(column?.collation ?? "");
}

/** A pair's column on one side. Pure. */
export function comparedColumn(
  { name, type, collation }: StoredColumn,
  form: Form,
  part: ComparedColumn["part"],
): ComparedColumn {
  return { name, type, form, part, ...(collation !== undefined && { collation }) };
}
