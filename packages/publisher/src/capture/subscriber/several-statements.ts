import { type Engine, LockstepError } from "@lockstep/core";
import { readStatement, type Statement } from "./statement.js";

// What a semicolon may stand in without ending a statement.
const postgresQuoted =
  /\bE'(?:[^'\\]|''|\\[^])*'|'[^']*'|"[^"]*"|\$(?:([A-Za-z_]\w*))?\$[^]*?\$\1\$|--[^\n]*|\/\*[^]*?\*\//gi;
const mysqlQuoted =
  /'(?:[^'\\]|''|\\[^])*'|"(?:[^"\\]|""|\\[^])*"|`[^`]*`|--\s[^\n]*|#[^\n]*|\/\*(?!M?!)[^]*?\*\//g;
// Statements whose own body holds semicolons.
const hasBody =
  /\bBEGIN\s+(?:NOT\s+)?ATOMIC\b|^\s*CREATE\b[^;]*\b(?:PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE)\b/i;

/** The statements of a string, their quoted parts blanked. Pure. */
export function statementsOf(engine: Engine, sql: string): string[] {
  const bare = sql.replace(engine === "postgres" ? postgresQuoted : mysqlQuoted, " ");
  if (engine === "mysql" ? hasBody.test(bare) : /\bBEGIN\s+ATOMIC\b/i.test(bare)) return [bare];
  return bare.split(";").filter((statement) => statement.trim() !== "");
}

/**
 * Capture follows transactions statement by statement: control that stands in one string with other statements would go by unseen, and with
 * it the moment to flush. Let through where nothing depends on it: outside of a transaction, and closed in itself.
 * @throws LockstepError CAPTURE_HIDDEN_COMMIT.
 */
export function refuseHiddenControl(engine: Engine, sql: string, isOpen: boolean): void {
  const statements = statementsOf(engine, sql);
  if (statements.length < 2) return;
  const kinds = statements.map(readStatement).filter(({ kind }) => isControl(engine, kind));
  if (kinds.length === 0) return;
  let open = isOpen;
  for (const statement of kinds) {
    if (statement.kind === "begin") open = true;
    else if (statement.kind === "commit" || statement.kind === "rollback") open = statement.chains;
  }
  if (!isOpen && !open) return;
  throw new LockstepError(
    "CAPTURE_HIDDEN_COMMIT",
    `one string of ${statements.length} statements would begin or end a transaction unseen`,
  );
}

/** A write by hand that stands behind statements of other kinds; `undefined` when the string begins with it, or has none. */
export function hiddenWrite(engine: Engine, sql: string): Statement | undefined {
  const [first, ...others] = statementsOf(engine, sql).map(readStatement);
  if (first?.kind === "write" || first?.kind === "truncate") return undefined;
  return others.find(({ kind }) => kind === "write" || kind === "truncate");
}

function isControl(engine: Engine, kind: ReturnType<typeof readStatement>["kind"]): boolean {
  if (kind === "definition" || kind === "truncate") return engine === "mysql";
  return kind !== "other" && kind !== "write";
}
