import type { DeadLetterDetail, TargetTransaction } from "@lockstep/core";
import { type RowId, rowId } from "../batch/planned-changes.js";
import type { Ledger } from "./ledger.js";
import type { LetterBook } from "./letter-book.js";
import { changeOfLetter, changeOfRow, type LetterChange } from "./letter-change.js";
import { type Chance, nextAttempt } from "./next-attempt.js";
import { type Refused, type RowFault, rowIdOf } from "./refused.js";
import type { RetryRules } from "./retry-rules.js";
import type { TableBook } from "./table-book.js";

/** What setting rows aside needs. */
export interface SettingAside extends Chance {
  readonly letters: Pick<LetterBook, "put" | "shownKey">;
  readonly retry: RetryRules;
  readonly ledger: Ledger;
}

/** A refused row and the letter that it waits for, if any. */
export interface Judged {
  readonly refused: Refused;
  readonly waitingFor?: RowId | { readonly letter: string };
}

/** What judging needs: letters are about rows of the source, a foreign key about rows of the target. */
interface Judging {
  readonly transaction: Pick<TargetTransaction, "missingParents">;
  readonly letters: Pick<LetterBook, "find">;
  readonly tables: Pick<TableBook, "sourcesOf">;
}

/**
 * Finds out which refused rows only wait for another row: a foreign key whose other side has a live letter, or is refused in the
 * same step (PROTOCOL.md 15).
 */
export async function judge(
  room: Judging,
  refused: readonly Refused[],
  ownLetter: (row: RowId) => string | undefined,
): Promise<Judged[]> {
  const judged: Judged[] = [];
  // Only rows that were judged before can be waited for: so no two rows of a step wait for each other.
  const passed = new Set<RowId>();
  for (const one of writesFirst(refused)) {
    const blocker = await blockerOf(room, one, passed, ownLetter(rowIdOf(one)) ?? one.letter?.id);
    judged.push(blocker === undefined ? { refused: one } : { refused: one, waitingFor: blocker });
    passed.add(rowIdOf(one));
  }
  return judged;
}

// Writes come parents first already; inside a table that points to itself the order of the source serves.
function writesFirst(refused: readonly Refused[]): readonly Refused[] {
  return [...refused].sort((a, b) => Number(a.kind === "remove") - Number(b.kind === "remove"));
}

async function blockerOf(
  { transaction, letters, tables }: Judging,
  one: Refused,
  passed: ReadonlySet<RowId>,
  ownLetter: string | undefined,
): Promise<Judged["waitingFor"]> {
  if (one.waitsFor !== undefined && passed.has(one.waitsFor)) return one.waitsFor;
  if (one.kind !== "write" || one.fault.code !== "TARGET_FOREIGN_KEY") return undefined;
  const missing = await transaction.missingParents(one.table, one.row);
  const parents = missing.flatMap(tables.sourcesOf);
  if (parents.length === 0) return undefined;
  const refused = parents.map(({ table, key }) => rowId(table, key)).find((row) => passed.has(row));
  if (refused !== undefined) return refused;
  const found = await letters.find(parents);
  const blocker = found.find(({ id, waitingFor }) => id !== ownLetter && waitingFor !== (ownLetter ?? ""));
  return blocker === undefined ? undefined : { letter: blocker.id };
}

/** Writes the letters of refused rows, in the transaction of the rows that were good. */
export async function setAside(setting: SettingAside, judged: readonly Judged[]): Promise<void> {
  for (const { refused, waitingFor } of judged) {
    const { conflict } = refused.row.guard ?? {};
    if (conflict !== undefined) setting.ledger.conflicts.add(conflict, -1);
    const change = refused.letter === undefined ? changeOfRow(refused) : changeOfLetter(refused.letter);
    await putLetter(setting, change, refused.fault, refused.letter, blockerId(setting.ledger, waitingFor));
  }
}

/** Counts an attempt of a letter that could not even be tried. */
export async function countAttempt(
  setting: SettingAside,
  letter: DeadLetterDetail,
  fault: RowFault,
): Promise<void> {
  await putLetter(setting, changeOfLetter(letter), fault, letter);
}

function blockerId(ledger: Ledger, waitingFor: Judged["waitingFor"]): string | undefined {
  return typeof waitingFor === "object" ? waitingFor.letter : ledger.put.get(waitingFor ?? "")?.id;
}

async function putLetter(
  setting: SettingAside,
  change: LetterChange,
  { code, about, rawError }: RowFault,
  letter?: DeadLetterDetail,
  waitingFor?: string,
): Promise<void> {
  const { letters, ledger, now } = setting;
  const policy = setting.retry.of(change.table);
  const maxAttempts = letter?.maxAttempts ?? policy.attempts;
  // Waiting burns no attempt: the row was never judged for itself.
  const attempts = (letter?.attempts ?? 0) + (waitingFor === undefined ? 1 : 0);
  const next =
    waitingFor === undefined
      ? nextAttempt(attempts, maxAttempts, policy, setting)
      : { state: "waiting" as const, waitingFor };
  const fault = about === undefined ? { code, rawError } : { code, about, rawError };
  const id = await letters.put({ ...change, ...fault, ...next, attempts, maxAttempts }, letter);
  const { table, key } = change;
  ledger.put.set(rowId(table, key), { id, attempts, ...next });
  ledger.errors.push({ table, key: letters.shownKey(table, key), code, at: now() });
}
