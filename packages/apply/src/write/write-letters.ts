import type { DeadLetterDetail } from "@lockstep/core";
import { rowId } from "../batch/planned-changes.js";
import { isolate } from "./isolate.js";
import { letterRow, type LetterRow, withLetter } from "./letter-rows.js";
import { regroup, rowIdOf } from "./refused.js";
import { countAttempt, judge, setAside } from "./set-aside.js";
import type { StepRoom } from "./step-room.js";

const pageSize = 200;

/**
 * Writes the rows of these letters from the letters' own images, each behind a savepoint when it has to be: those that apply are over,
 * the others count an attempt or wait.
 */
export async function writeLetters(room: StepRoom, letters: readonly DeadLetterDetail[]): Promise<void> {
  room.tables.require(letters.map((letter) => letter.schema));
  const rows: LetterRow[] = [];
  for (const letter of letters) {
    const problem = room.tables.problem(letter.schema);
    if (problem === undefined) rows.push(letterRow(letter, room.tables.of(letter.schema)));
    else await countAttempt(room, letter, { code: problem.code, rawError: problem.message });
  }
  const byRow = new Map(letters.map((letter) => [rowId(letter.table, letter.key), letter]));
  const fault = { code: "TARGET_REFUSED" as const, rawError: "" };
  const refused = await isolate(room, regroup(rows.map((row) => ({ ...row, fault }))));
  const again = refused.map((one) => withLetter(one, byRow));
  await setAside(room, await judge(room.transaction, again, () => undefined));
  const failed = new Set(again.map(rowIdOf));
  const applied = rows.map(({ letter }) => letter).filter((l) => !failed.has(rowId(l.table, l.key)));
  await resolve(room, applied, "applied");
}

/** Ends letters and notes it. */
export async function resolve(
  { transaction, ledger }: StepRoom,
  letters: readonly { readonly id: string; readonly table: string; readonly key: string }[],
  state: "applied" | "superseded",
): Promise<void> {
  if (letters.length === 0) return;
  await transaction.resolveLetters(
    letters.map(({ id }) => id),
    state,
  );
  for (const { id, table, key } of letters) ledger.resolved.set(rowId(table, key), id);
}

/**
 * Writes the letters that wait for letters which are over (PROTOCOL.md 15), oldest first, and what waits for those in turn. At most
 * `limit` of them: the blockers left over go on the ledger, for the next step.
 */
export async function release(room: StepRoom, blockers: readonly string[], limit: number): Promise<void> {
  const queue = [...blockers];
  const seen = new Set<string>();
  let written = 0;
  for (let i = 0; i < queue.length; i++) {
    const blocker = queue[i]!;
    if (written >= limit) {
      room.ledger.unreleased.push(blocker);
      continue;
    }
    const page = await room.transaction.waitingLetters(blocker, Math.min(pageSize, limit - written));
    const fresh = page.filter(({ id }) => !seen.has(id));
    if (fresh.length === 0) continue;
    for (const { id } of fresh) seen.add(id);
    written += fresh.length;
    await writeLetters(room, fresh);
    for (const { id, table, key } of fresh)
      if (room.ledger.resolved.get(rowId(table, key)) === id) queue.push(id);
    // There may be more of them than one page.
    queue.push(blocker);
  }
}
