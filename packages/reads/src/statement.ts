/** Strings and quoted names, and comments: what stands in them is no word of the statement. */
const quoted = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`/g;
const comments = /--[^\n]*|\/\*[\s\S]*?\*\//g;
/** Words that a statement which only reads begins with. */
const begins = /^[\s(]*(?:SELECT|WITH|SHOW|EXPLAIN|DESCRIBE|VALUES|TABLE)\b/i;
/** Words that such a statement hasn't: it would write in a CTE, into a table or file, or lock. */
const writes =
  /\b(?:INSERT|UPDATE|DELETE|MERGE|INTO)\b|\bFOR\s+(?:KEY\s+)?SHARE\b|\bLOCK\s+IN\s+SHARE\s+MODE\b/i;
const several = /;\s*\S/;

/**
 * Whether a statement surely changes nothing and locks nothing, as far as its text says: a function that writes isn't seen. Everything that isn't sure
 * counts as a write. Pure.
 */
export function onlyReads(sql: string): boolean {
  const bare = sql.replaceAll(quoted, "''").replaceAll(comments, " ");
  return begins.test(bare) && !writes.test(bare) && !several.test(bare);
}
