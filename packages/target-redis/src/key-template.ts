import { LockstepError, type TableSchema, tableId } from "@lockstep/core";

/** Makes the Redis keys of rows. */
export interface KeyTemplate {
  /** The key of the hash of the row with this JSON key. */
  keyOf(table: TableSchema, key: string): string;
  /** The JSON key of the row whose hash has this key; `undefined` when it can't be one of the table's. */
  keyAt(table: TableSchema, place: string): string | undefined;
  /** A pattern for SCAN that finds all keys of a table; others may match, too. */
  patternOf(table: TableSchema): string;
  /** @throws LockstepError CONFIG_INVALID when rows of these tables could have one key. */
  refuseAmbiguous(tables: Iterable<TableSchema>): void;
}

/**
 * Reads a template: `{namespace}`, `{table}` and `{key}` stand for the table's names and the key's texts, joined by colons; in each text `%` and `:` are
 * written as `%25` and `%3A`, and a colon has to stand between `{key}` and the other names, so that no two rows share a key.
 * @throws LockstepError CONFIG_INVALID
 */
export function keyTemplate(template: string): KeyTemplate {
  if (!template.includes("{key}")) throw invalid(`${template} names no {key}`);
  // Only a colon stands in none of the texts: behind anything else one text could end early, and another row's begin there.
  if (/\{(?:namespace|table)\}[^:{]*\{key\}|\{key\}[^:{]*\{(?:namespace|table)\}/.test(template))
    throw invalid(
      `${template} has no colon between {key} and another name: two rows could have the same key`,
    );
  const fill = ({ namespace, name }: TableSchema, key: string): string =>
    template.replaceAll(/\{(namespace|table|key)\}/g, (_, what: string) =>
      what === "key" ? key : plain(what === "table" ? name : namespace),
    );
  const keyOf = (table: TableSchema, key: string): string =>
    fill(table, (JSON.parse(key) as string[]).map(plain).join(":"));
  return {
    keyOf,
    keyAt(table, place) {
      const around = fill(table, "\u0000").split("\u0000");
      const length = (place.length - around.join("").length) / (around.length - 1);
      const text = place.slice(around[0]!.length, around[0]!.length + length);
      const key = JSON.stringify(text.split(":").map(unplain));
      return keyOf(table, key) === place ? key : undefined;
    },
    patternOf: (table) => {
      const marked = fill(table, "\u0000");
      return marked.replaceAll(/[*?[\]\\]/g, "\\$&").replaceAll("\u0000", "*");
    },
    refuseAmbiguous(tables) {
      const seen = new Map<string, string>();
      for (const table of tables) {
        const place = fill(table, "*");
        const other = seen.get(place);
        if (other !== undefined && other !== tableId(table))
          throw invalid(`${template} gives rows of ${other} and ${tableId(table)} the same keys`);
        seen.set(place, tableId(table));
      }
    },
  };
}

function plain(text: string): string {
  return text.replaceAll("%", "%25").replaceAll(":", "%3A");
}

function unplain(text: string): string {
  return text.replaceAll("%3A", ":").replaceAll("%25", "%");
}

function invalid(what: string): LockstepError {
  return new LockstepError("CONFIG_INVALID", `the key template ${what}`);
}
