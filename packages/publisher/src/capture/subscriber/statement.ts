import type { TableName } from "./catalog/existing-tables.js";

/** What a statement does to the transaction it is sent in. */
export type Statement =
  | { readonly kind: "other" }
  | { readonly kind: "begin" }
  /** `chains`: a new transaction begins at once. `plain`: COMMIT and nothing else. */
  | { readonly kind: "commit"; readonly chains: boolean; readonly plain: boolean }
  | { readonly kind: "rollback"; readonly chains: boolean }
  | { readonly kind: "savepoint" | "release" | "rollback-to"; readonly name: string }
  /** INSERT, UPDATE, DELETE and their kin, written by hand. */
  | { readonly kind: "write" }
  | { readonly kind: "truncate" }
  /** Data definition: commits implicitly on MySQL and MariaDB. */
  | { readonly kind: "definition" };

const other: Statement = { kind: "other" };
// Each piece can match in one way only: nested repetition would take exponential time on long white space. What stands in MySQL's
// executable comments is executed, so they are no comments.
const firstWord = /^(?:\s|\/\*M?!\d*|\/\*(?!M?!)(?:[^*]|\*(?!\/))*\*\/|--[^\n]*\n|#[^\n]*\n|\()*([a-z]+)/i;

/** Reads the first words of a statement. Cheap for reads: they are told by their first letters. */
export function readStatement(sql: string): Statement {
  if (sql.startsWith("SELECT ")) return other;
  const match = firstWord.exec(sql);
  if (!match?.[1]) return other;
  const text = sql.slice(match[0].length - match[1].length);
  switch (match[1].toUpperCase()) {
    case "START":
      return /^START\s+TRANSACTION\b/i.test(text) ? { kind: "begin" } : other;
    case "BEGIN":
      return /^BEGIN\s+NOT\s+ATOMIC\b/i.test(text) ? other : { kind: "begin" };
    case "COMMIT":
    case "END":
      if (/^COMMIT\s+PREPARED\b/i.test(text)) return other;
      return { kind: "commit", chains: chains(text), plain: text === "COMMIT" };
    case "PREPARE":
      return /^PREPARE\s+TRANSACTION\b/i.test(text) ? { kind: "commit", chains: false, plain: false } : other;
    case "ROLLBACK":
    case "ABORT":
      return readRollback(text);
    case "SAVEPOINT":
      return named("savepoint", /^SAVEPOINT\s+(\S+)/i.exec(text));
    case "RELEASE":
      return named("release", /^RELEASE\s+(?:SAVEPOINT\s+)?(\S+)/i.exec(text));
    case "INSERT":
    case "UPDATE":
    case "DELETE":
    case "REPLACE":
    case "MERGE":
    case "LOAD":
    case "COPY":
      return { kind: "write" };
    case "ANALYZE":
      if (/^ANALYZE\s+(?:(?:LOCAL|NO_WRITE_TO_BINLOG)\s+)?TABLES?\b/i.test(text))
        return { kind: "definition" };
      return readPlanned(text);
    case "WITH":
    case "EXPLAIN":
      return readPlanned(text);
    case "TRUNCATE":
      return { kind: "truncate" };
    case "ALTER":
    case "CREATE":
    case "DROP":
    case "RENAME":
    case "LOCK":
    case "UNLOCK":
    case "GRANT":
    case "REVOKE":
    case "OPTIMIZE":
    case "CHECK":
    case "REPAIR":
    case "FLUSH":
    case "RESET":
    case "INSTALL":
    case "UNINSTALL":
    case "BACKUP":
      return temporary.test(text) ? other : { kind: "definition" };
    default:
      return other;
  }
}

// The only definitions that leave a MySQL transaction open, and may write rows in it.
const temporary = /^(?:CREATE|DROP)\s+(?:OR\s+REPLACE\s+)?(?:\/\*M?!\d*\s*)?TEMPORARY\b/i;

/** WITH, EXPLAIN and MariaDB's ANALYZE stand before the statement that they run. */
function readPlanned(text: string): Statement {
  return /\b(insert\s+into|update|delete\s+from|merge\s+into)\b/i.test(text) ? { kind: "write" } : other;
}

function readRollback(text: string): Statement {
  if (/^ROLLBACK\s+PREPARED\b/i.test(text)) return other;
  const to = /^\w+(?:\s+(?:WORK|TRANSACTION))?\s+TO\s+(?:SAVEPOINT\s+)?(\S+)/i.exec(text);
  return to ? named("rollback-to", to) : { kind: "rollback", chains: chains(text) };
}

function chains(text: string): boolean {
  return /\bAND\s+CHAIN\b/i.test(text);
}

function named(kind: "savepoint" | "release" | "rollback-to", match: RegExpExecArray | null): Statement {
  return match?.[1] ? { kind, name: plainName(match[1]) } : other;
}

function plainName(name: string): string {
  const bare = name.replace(/;$/, "");
  return /^["`].*["`]$/.test(bare) ? bare.slice(1, -1) : bare.toLowerCase();
}

const target = String.raw`((?:"(?:[^"]|"")+"|\x60(?:[^\x60]|\x60\x60)+\x60|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|\x60(?:[^\x60]|\x60\x60)+\x60|[\w$]+))*)`;
const modifiers = String.raw`(?:(?:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|QUICK|IGNORE|INTO|FROM|TABLE|ONLY|LOCAL|INFILE\s+'[^']*')\s+)*`;
const written = new RegExp(
  String.raw`\b(?:INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE|COPY|LOAD\s+DATA)\s+${modifiers}${target}`,
  "gi",
);

/** Tables that a hand-written statement seems to write. A best effort: for warnings and refusals, never for identity. */
export function writtenTables(sql: string): TableName[] {
  return [...sql.matchAll(written)].flatMap((match) => {
    const parts = [...(match[1] ?? "").matchAll(/"((?:[^"]|"")+)"|`((?:[^`]|``)+)`|([\w$]+)/g)].map(
      (part) => part[1]?.replaceAll('""', '"') ?? part[2]?.replaceAll("``", "`") ?? part[3] ?? "",
    );
    const name = parts.at(-1);
    if (name === undefined) return [];
    const namespace = parts.at(-2);
    return [namespace === undefined ? { name } : { namespace, name }];
  });
}
