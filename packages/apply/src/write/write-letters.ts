import type { DeadLetterDetail } from "@lockstep/core";
import { rowId } from "../batch/planned-changes.js";
import { isolateGuarded } from "./guard/isolate-guarded.js";
import { joinWaiting } from "./join-waiting.js";
import { applied, letterRows, problemOf, withLetter } from "./letter-rows.js";
import { onePerRow, type Refused, regroup, rowIdOf, untried } from "./refused.js";
import { resolve } from "./resolve.js";
import { countAttempt, judge, setAside } from "./set-aside.js";
import type { StepRoom } from "./step-room.js";

const pageSize = 200;

/**
 * Writes the rows of these letters from the letters' own images, each behind a savepoint when it has to be: those that apply are over,
 * the others count an attempt or wait.
 */
export async function writeLetters(room: StepRoom, letters: readonly DeadLetterDetail[]): Promise<void> {
  const { letters: usable, rows, failed } = letterRows(room, letters);
  for (const letter of letters) {
    const problem = problemOf(room, letter);
    if (problem) await countAttempt(room, letter, { code: problem.code, rawError: problem.message });
  }
  const byRow = new Map(letters.map((letter) => [rowId(letter.table, letter.key), letter]));
  const refused = await isolateGuarded(
    room,
    regroup(rows.map((row): Refused => ({ ...row, fault: untried }))),
  );
  const joined = await joinWaiting(room, refused, {
    letterOf: (one) => byRow.get(rowIdOf(one))?.id,
    isTaken: (row) => byRow.has(row),
  });
  const again = onePerRow([...failed, ...joined]).map((one) => withLetter(one, byRow));
  await setAside(room, await judge(room, again, () => undefined));
  await resolve(room, applied(usable, again), "applied");
}

/**
 * Writes the letters that wait for letters which are over (PROTOCOL.md 15), oldest first, and what waits for those in turn. At most
 * `limit` of them: the blockers left over go on the ledger, for the next step.
 */
export async function release(room: StepRoom, blockers: readonly string[], limit: number): Promise<void> {
  const queue = [...new Set(blockers)];
  const queued = new Set(queue);
  const seen = new Set<string>();
  let written = 0;
  for (let i = 0; i < queue.length; i++) {
    const blocker = queue[i]!;
    if (written >= limit) {
      room.ledger.unreleased.push(blocker);
      continue;
    }
    const page = await room.letters.waiting(blocker, Math.min(pageSize, limit - written));
    const fresh = page.filter(({ id }) => !seen.has(id));
    if (fresh.length === 0) continue;
    for (const { id } of fresh) seen.add(id);
    written += fresh.length;
    await writeLetters(room, fresh);
    for (const id of room.ledger.resolved.values()) {
      if (!queued.has(id)) queue.push(id);
      queued.add(id);
    }
    // There may be more of them than one page.
    queue.push(blocker);
  }
}
