import type { RowImage } from "../change-event.js";
import type { RowLook } from "../ports/guarded-rows.js";
import type { TableSchema } from "../table-schema.js";
import { changedSince } from "./changed-since.js";
import { rowOfTexts } from "./row-texts.js";

/** What a database found under a key, compared with the base. Prints are JSON objects of texts by column. */
interface FoundRow {
  readonly isThere: boolean;
  /** The row prints as its base does, and no decision stands against the source. */
  readonly isSame: boolean;
  readonly print: string | null | undefined;
  readonly base: string | null | undefined;
  /** {@link BaseKept.decided} */
  readonly decided: string | null | undefined;
}

/** What the guard is to know of it. `read` makes an image of a print. Pure. */
export function rowLook(
  schema: TableSchema,
  { isThere, isSame, print, base, decided }: FoundRow,
  read: (print: string) => RowImage,
): RowLook {
  const image = print == null ? {} : { image: read(print) };
  const isLeft = decided == null && print != null && base != null && !changedSince(base, print);
  if (isThere && (isSame || isLeft)) return { state: "unchanged", ...image };
  const agreed = decided == null ? base && read(base) : agreedIn(schema, decided);
  if (agreed) return { state: "changed", ...image, base: agreed };
  return isThere ? { state: "changed", ...image } : { state: "absent" };
}

/** Where a decision stands, both sides last knew of the source's row that it was about. */
function agreedIn(schema: TableSchema, decided: string): RowImage | undefined {
  return decided === "null" ? undefined : rowOfTexts(schema, decided);
}
