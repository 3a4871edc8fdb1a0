/** The dialect that a statement is written in. */
export type Dialect = "postgres" | "mysql";

/** What stands in strings, quoted names and comments is no word of the statement. Looked for in one pass: a quote in a comment begins no string. */
const silent: Readonly<Record<Dialect, RegExp>> = {
  postgres:
    /\bE'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![\w$])\$(\w*)\$[\s\S]*?\$\1\$|--[^\n\r]*|\/\*(?:(?!\/\*)[\s\S])*?\*\//gi,
  // A comment that begins with an exclamation mark is executed.
  mysql:
    /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`]|``)*`|#[^\n]*|--(?![^\s])[^\n]*|\/\*(?!M?!)(?:(?!\/\*)[\s\S])*?\*\//g,
};
/** Left over where a statement isn't read as the server reads it: nested or executed comments, text that doesn't end. */
const unread: Readonly<Record<Dialect, RegExp>> = {
  postgres: /['"]|\/\*|\*\/|(?<![\w$])\$\w*\$/,
  mysql: /['"`]|\/\*|\*\//,
};
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
export function onlyReads(sql: string, dialect: Dialect): boolean {
  const bare = sql.replaceAll(silent[dialect], (text) => (/^(?:--|#|\/\*)/.test(text) ? " " : " x "));
  return !unread[dialect].test(bare) && begins.test(bare) && !writes.test(bare) && !several.test(bare);
}

/** The dialect of a DataSource's type. */
export function dialectOf(type: string): Dialect {
  return /^(?:mysql|mariadb|aurora-mysql)$/.test(type) ? "mysql" : "postgres";
}
