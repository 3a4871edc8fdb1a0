import { ByteReader } from "./byte-reader.js";

/** A statement as it stands in the log. */
export interface LoggedStatement {
  /** The session's default database. */
  readonly database: string;
  readonly sql: string;
}

/** Reads the body of a QUERY event. */
export function statementOf(body: Buffer): LoggedStatement {
  const reader = new ByteReader(body, 8);
  const databaseLength = reader.u8();
  reader.skip(2);
  reader.skip(reader.u16());
  const database = reader.text(databaseLength);
  reader.skip(1);
  return { database, sql: reader.text(reader.left) };
}

interface TableName {
  readonly namespace: string;
  readonly name: string;
}

/** What a statement in a row-format log means for a reader. */
export type StatementMeaning =
  | { readonly is: "begin" | "commit" | "rollback" }
  /** `opens`: rows of its own follow (CREATE TABLE … SELECT on MySQL). */
  | { readonly is: "other"; readonly opens: boolean }
  | { readonly is: "savepoint" | "rollback-to"; readonly name: string }
  | { readonly is: "truncate"; readonly table: TableName }
  /** Rows go away, or come, that the log doesn't list: of these tables, or of a whole database. */
  | { readonly is: "removal"; readonly tables: readonly TableName[]; readonly database?: string }
  /** A change of rows, by a session that logs statements: which rows is not known. */
  | { readonly is: "statement-format" };

const name = "(`(?:[^`]|``)+`|[\\w$\\u0080-\\uffff]+)";
const tableName = `${name}(?:\\s*\\.\\s*${name})?`;
const forms = {
  savepoint: new RegExp(`^SAVEPOINT\\s+${name}`, "i"),
  rollbackTo: new RegExp(`^ROLLBACK\\s+(?:WORK\\s+)?TO\\s+(?:SAVEPOINT\\s+)?${name}`, "i"),
  truncate: new RegExp(`^TRUNCATE\\s+(?:TABLE\\s+)?${tableName}`, "i"),
  drop: /^DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?/i,
  replace: /^CREATE\s+OR\s+REPLACE\s+TABLE\s+/i,
  database: new RegExp(`^DROP\\s+(?:DATABASE|SCHEMA)\\s+(?:IF\\s+EXISTS\\s+)?${name}`, "i"),
  rename: /^RENAME\s+TABLES?\s+(?:IF\s+EXISTS\s+)?/i,
  alter: new RegExp(`^ALTER\\s+(?:ONLINE\\s+|IGNORE\\s+)*TABLE\\s+(?:IF\\s+EXISTS\\s+)?${tableName}`, "i"),
  /** What an ALTER TABLE says when rows go, come, or get another table's name; and that table. */
  moves: new RegExp(
    `\\b(?:(?:DROP|TRUNCATE)\\s+PARTITION\\b|(?:DISCARD|IMPORT)\\b[^,]*\\bTABLESPACE\\b|(?:EXCHANGE\\s+PARTITION\\s+${name}\\s+WITH\\s+TABLE|CONVERT\\s+PARTITION\\s+${name}\\s+TO\\s+TABLE|CONVERT\\s+TABLE|RENAME(?:\\s+(?:TO|AS)|\\s*=)?)\\s+(?!(?:COLUMN|INDEX|KEY)\\b)${tableName})`,
    "i",
  ),
  rows: /^(INSERT|UPDATE|DELETE|REPLACE|LOAD|WITH|CALL)\b/i,
} as const;

/** Reads a statement's meaning from its first words. Pure. */
export function meaningOf({ database, sql }: LoggedStatement): StatementMeaning {
  const text = withoutComments(sql);
  const simple = /^(BEGIN|COMMIT|ROLLBACK)\s*;?$/i.exec(text)?.[1]?.toLowerCase();
  if (simple === "begin" || simple === "commit" || simple === "rollback") return { is: simple };
  const savepoint = forms.savepoint.exec(text);
  if (savepoint) return { is: "savepoint", name: unquoted(savepoint[1]!) };
  const rollbackTo = forms.rollbackTo.exec(text);
  if (rollbackTo) return { is: "rollback-to", name: unquoted(rollbackTo[1]!) };
  const truncate = forms.truncate.exec(text);
  if (truncate) return { is: "truncate", table: tableOf(truncate, database) };
  const removal = removalIn(text, database);
  if (removal) return removal;
  if (/^XA\s+(START|BEGIN)\b/i.test(text)) return { is: "begin" };
  return forms.rows.test(text)
    ? { is: "statement-format" }
    : { is: "other", opens: /\bSTART TRANSACTION$/i.test(text) };
}

/** Definitions that take rows away, or bring others. */
function removalIn(text: string, database: string): StatementMeaning | undefined {
  const gone = forms.database.exec(text);
  if (gone) return { is: "removal", tables: [], database: unquoted(gone[1]!) };
  for (const form of [forms.drop, forms.replace, forms.rename]) {
    const found = form.exec(text);
    if (found) return { is: "removal", tables: tablesIn(text.slice(found[0].length), database) };
  }
  const altered = forms.alter.exec(text);
  const moves = altered && forms.moves.exec(text.slice(altered[0].length));
  if (!altered || !moves) return undefined;
  // The last two groups are the other table's name, where there is one.
  const other = moves.slice(-2);
  const tables = other[0] === undefined ? [] : [tableOf(["", ...other], database)];
  return { is: "removal", tables: [tableOf(altered, database), ...tables] };
}

/** Leading comments; of a versioned one what is in it. */
function withoutComments(sql: string): string {
  let text = sql.trimStart();
  for (;;) {
    const versioned = /^\/\*M?!\d*\s*/.exec(text);
    if (versioned) text = text.slice(versioned[0].length).replace("*/", " ").trimStart();
    else if (text.startsWith("/*") && text.includes("*/"))
      text = text.slice(text.indexOf("*/") + 2).trimStart();
    else if (/^(--\s|#)/.test(text) && text.includes("\n"))
      text = text.slice(text.indexOf("\n") + 1).trimStart();
    else return text.trimEnd();
  }
}

/** A list of names at the beginning of a text. */
function tablesIn(text: string, database: string): TableName[] {
  const one = new RegExp(`^\\s*${tableName}\\s*(?:WAIT\\s+\\d+\\s*|NOWAIT\\s*)?(,|TO\\b|)`, "i");
  const tables: TableName[] = [];
  for (let rest = text; ;) {
    const match = one.exec(rest);
    if (!match) return tables;
    tables.push(tableOf(match, database));
    if (match[3] === "") return tables;
    rest = rest.slice(match[0].length);
  }
}

function tableOf(match: readonly (string | undefined)[], database: string): TableName {
  const [, first, second] = match;
  return second === undefined
    ? { namespace: database, name: unquoted(first!) }
    : { namespace: unquoted(first!), name: unquoted(second) };
}

function unquoted(name: string): string {
  return name.startsWith("`") ? name.slice(1, -1).replaceAll("``", "`") : name;
}
