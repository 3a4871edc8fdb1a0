import type { CapturedTable } from "../captured-tables.js";
import type { TrustInKeys } from "../journal.js";
import type { Captured } from "../session.js";
import type { BuilderWrite, WriteStatement } from "../write.js";
import { givenKey } from "./given-key.js";
import { returningKeys, withoutRows } from "./returning.js";

const keptAlias = "lockstep_kept";
const returning = returningKeys("insert");

/** Tables into which a transaction has inserted more than once: the next one is likely to. */
const repeated = new WeakSet<CapturedTable>();

/**
 * An INSERT where the server returns keys. Once a transaction inserts more than one row into a table, the server is asked whether it keeps the keys that it is
 * given, which no other session can change before the transaction ends: from then on what the statement says is enough.
 */
export function insertReturning(write: BuilderWrite, statement: WriteStatement): Promise<Captured> {
  const { table } = write;
  if (write.rules.writer.keepsKeys === undefined || statement.returns) return returning(write, statement);
  const { givenKeys } = write.journal;
  const trust = givenKeys.get(table);
  if (trust === undefined) {
    const first: TrustInKeys = { stage: "unasked" };
    givenKeys.set(table, first);
    return repeated.has(table) ? ask(write, statement, first) : returning(write, statement);
  }
  if (trust.stage === "unasked") {
    repeated.add(table);
    return ask(write, statement, trust);
  }
  const key = trust.stage === "asked" ? undefined : givenKey(table, statement);
  if (key === undefined) return returning(write, statement);
  const notes = [write.note("insert", key)];
  return write.execute(statement.sql, statement.parameters).then((result) => ({ result, notes }));
}

/** Sends the statement with the question, where it is one that could go without an answer. */
async function ask(write: BuilderWrite, statement: WriteStatement, trust: TrustInKeys): Promise<Captured> {
  const { table, rules } = write;
  if (givenKey(table, statement) === undefined) return returning(write, statement);
  trust.stage = "asked";
  const sql = `${statement.sql} RETURNING ${rules.writer.keepsKeys!(table.table)} AS ${keptAlias}`;
  const { result, notes } = await returning(write, { ...statement, sql, returns: true });
  // Where the transaction has ended or gone back meanwhile, the journal doesn't know this one any more.
  if (result.records?.[0]?.[keptAlias] === true) trust.stage = "kept";
  return { result: withoutRows("insert", write, result, notes), notes };
}
