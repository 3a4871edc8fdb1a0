import type { TrustInKeys } from "../journal.js";
import type { Captured } from "../session.js";
import type { BuilderWrite, WriteStatement } from "../write.js";
import { givenKey } from "./given-key.js";
import { returningKeys, withoutRows } from "./returning.js";

const keptAlias = "lockstep_kept";
const returning = returningKeys("insert");

/**
 * An INSERT where the server returns keys. Once a transaction inserts more than one row into a table, the server is asked whether it keeps the keys that it is
 * given, which no other session can change before the transaction ends: from then on what the statement says is enough.
 */
export function insertReturning(write: BuilderWrite, statement: WriteStatement): Promise<Captured> {
  const { keepsKeys } = write.rules.writer;
  if (keepsKeys === undefined || statement.returns) return returning(write, statement);
  const { givenKeys } = write.journal;
  const trust = givenKeys.get(write.table);
  if (trust === undefined) {
    givenKeys.set(write.table, { stage: "unasked" });
    return returning(write, statement);
  }
  const key = trust.stage === "asked" ? undefined : givenKey(write.table, statement);
  if (key === undefined) return returning(write, statement);
  if (trust.stage === "unasked") return ask(write, statement, keepsKeys, trust);
  const notes = [write.note("insert", key)];
  return write.execute(statement.sql, statement.parameters).then((result) => ({ result, notes }));
}

async function ask(
  write: BuilderWrite,
  statement: WriteStatement,
  keepsKeys: string,
  trust: TrustInKeys,
): Promise<Captured> {
  trust.stage = "asked";
  const sql = `${statement.sql} RETURNING ${keepsKeys} AS ${keptAlias}`;
  const { result, notes } = await returning(write, { ...statement, sql, returns: true });
  // Where the transaction has ended or gone back meanwhile, the journal doesn't know this one any more.
  if (result.records?.[0]?.[keptAlias] === true) trust.stage = "kept";
  return { result: withoutRows("insert", write, result, notes), notes };
}
