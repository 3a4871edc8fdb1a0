import type { Fault, TargetTransaction } from "@lockstep/core";
import type { RowSet } from "./arrange.js";
import { looseningSets } from "./loosen.js";
import { dependsOnOthers, type Refused, regroup } from "./refused.js";
import { moveAside, perform, writeSegmentsAside } from "./write-sets.js";

/** What isolating needs. */
export interface Isolation {
  readonly transaction: TargetTransaction;
  readonly classify: (error: unknown) => Fault;
  /** Called with each row that failed alone and whose fault no other row can mend; throws to give up early. */
  readonly onRefused?: (refused: Refused) => void;
}

const maxPasses = 8;

/**
 * Writes all rows but those that the target refuses, and returns these. Sets that fail are halved behind savepoints, so that one
 * bad row among thousands costs a few dozen statements; rows that fail for want of others are tried again after them, and at last
 * with all of them out of each other's way: only what fails then is a bad row (PROTOCOL.md 17).
 */
export async function isolate(isolation: Isolation, sets: readonly RowSet[]): Promise<Refused[]> {
  const refused = await inPasses(isolation, sets);
  const candidates = refused.filter(dependsOnOthers);
  if (!mayMendEachOther(candidates)) return refused;
  const final = refused.filter((one) => !dependsOnOthers(one));
  return [...final, ...(await outOfEachOthersWay(isolation, candidates))];
}

/** Tries sets, and what depends on other rows again as long as that helps. */
async function inPasses(isolation: Isolation, sets: readonly RowSet[]): Promise<Refused[]> {
  let refused = await tryAll(isolation, sets);
  const rows = sets.reduce((sum, set) => sum + set.rows.length, 0);
  if (rows < 2) return refused;
  for (let pass = 1; pass < maxPasses; pass++) {
    const open = refused.filter(dependsOnOthers);
    if (open.length === 0) break;
    const still = await tryAll(isolation, regroup(open));
    refused = [...refused.filter((one) => !dependsOnOthers(one)), ...still];
    if (still.length === open.length) break;
  }
  return refused;
}

async function tryAll(isolation: Isolation, sets: readonly RowSet[]): Promise<Refused[]> {
  const refused: Refused[] = [];
  for (const set of sets) await halve(isolation, set, refused);
  return refused;
}

async function halve(isolation: Isolation, set: RowSet, refused: Refused[]): Promise<void> {
  if (set.rows.length === 0) return;
  const { transaction, classify } = isolation;
  try {
    await transaction.savepoint(() => perform(transaction, set));
  } catch (error) {
    const fault = classify(error);
    if (fault.kind === "systemic") throw error;
    if (set.rows.length === 1) {
      const one = refusedRow(set, fault, error);
      refused.push(one);
      if (!dependsOnOthers(one)) isolation.onRefused?.(one);
      return;
    }
    const middle = set.rows.length >> 1;
    await halve(isolation, slice(set, 0, middle), refused);
    await halve(isolation, slice(set, middle), refused);
  }
}

function slice(set: RowSet, from: number, to?: number): RowSet {
  return set.kind === "write"
    ? { ...set, rows: set.rows.slice(from, to) }
    : { ...set, rows: set.rows.slice(from, to) };
}

function refusedRow(set: RowSet, { code, about }: Fault, error: unknown): Refused {
  const rawError = error instanceof Error ? error.message : String(error);
  const fault = about === undefined ? { code, rawError } : { code, about, rawError };
  return set.kind === "write"
    ? { kind: "write", table: set.table, row: set.rows[0]!, fault }
    : { kind: "remove", table: set.table, row: set.rows[0]!, fault };
}

function mayMendEachOther(candidates: readonly Refused[]): boolean {
  return (
    candidates.length > 1 || candidates.some((one) => one.kind === "write" && one.row.before !== undefined)
  );
}

/** Thrown to roll a trial back. */
class Trial extends Error {
  constructor(readonly refused: readonly Refused[]) {
    super("trial");
  }
}

/**
 * Rows that failed for want of each other (swapped unique values, a value that moves from a deleted row to a new one) are written
 * with their unique values moved aside. Those that fail even so are bad; the rest is tried again without them, because a value that
 * was moved aside must be written in the same transaction.
 */
async function outOfEachOthersWay(isolation: Isolation, rows: readonly Refused[]): Promise<Refused[]> {
  const { transaction } = isolation;
  const bad: Refused[] = [];
  let candidates = rows;
  while (candidates.length > 0) {
    const sets = regroup(candidates);
    // They have passed the guard.
    const segments = [{ truncates: [], sets }];
    if (await succeeds(isolation, () => writeSegmentsAside({ transaction }, segments, false))) break;
    if (await succeeds(isolation, () => writeSegmentsAside({ transaction }, segments, true))) break;
    const refused = await refusedAside(isolation, sets);
    // No row fails alone, yet all fail together: none of them can be called good.
    const out = refused.length > 0 ? refused : candidates;
    bad.push(...out);
    const gone = new Set(out.map((one) => one.row.event));
    candidates = candidates.filter((one) => !gone.has(one.row.event));
  }
  return bad;
}

async function succeeds({ transaction, classify }: Isolation, work: () => Promise<void>): Promise<boolean> {
  try {
    await transaction.savepoint(work);
    return true;
  } catch (error) {
    if (classify(error).kind === "systemic") throw error;
    return false;
  }
}

async function refusedAside(isolation: Isolation, sets: readonly RowSet[]): Promise<readonly Refused[]> {
  const { transaction, classify } = isolation;
  try {
    return await transaction.savepoint(async () => {
      await moveAside(transaction, sets);
      // What can't be untied is tried as it is.
      await tryAll({ transaction, classify }, looseningSets(sets));
      throw new Trial(await inPasses(isolation, sets));
    });
  } catch (error) {
    if (error instanceof Trial) return error.refused;
    throw error;
  }
}
