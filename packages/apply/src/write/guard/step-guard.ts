import {
  assertNever,
  type ConflictWrite,
  LockstepError,
  type TargetTable,
  type TargetTransaction,
} from "@lockstep/core";
import { arrangeSets, type RowSet } from "../arrange.js";
import type { Ledger } from "../ledger.js";
import type { Refused } from "../refused.js";
import type { JudgedSet } from "./judged.js";
import { judgeOneWay, keysOf } from "./one-way.js";
import { guardedRows, isGuarded, tellOthers } from "./perform-guarded.js";
import type { TableRule } from "./table-rule.js";
import { judgeTwoWay, type NodeRow } from "./two-way.js";

/** Sets as they are really to be written, and rows whose policy failed. */
export interface Passed {
  readonly sets: readonly RowSet[];
  readonly failed: readonly Refused[];
}

/** What the guard of a step needs. */
export interface Guarding {
  readonly transaction: TargetTransaction;
  readonly ledger: Pick<Ledger, "conflicts">;
  /** How a table's rows are judged; `undefined` for tables that are only mirrored. */
  readonly ruleOf: (table: TargetTable) => TableRule | undefined;
}

/**
 * Stands between arranging and writing, for tables whose rows others may write: looks at what is under the rows' keys, locks it, and lets a policy decide where somebody else has
 * changed it. **Maintained invariant**: a row is judged in the transaction that writes it, after everything that the step writes before it, and once.
 */
export class StepGuard {
  readonly #guarding: Guarding;

  constructor(guarding: Guarding) {
    this.#guarding = guarding;
  }

  /** The sets that may be written. @throws LockstepError CONFLICT_POLICY_FAILED for the first row whose policy failed. */
  async pass(sets: readonly RowSet[]): Promise<readonly RowSet[]> {
    const { sets: passed, failed } = await this.look(sets);
    const [first] = failed;
    if (first === undefined) return passed;
    throw new LockstepError("CONFLICT_POLICY_FAILED", "a conflict policy failed");
  }

  /** The same; rows whose policy failed stand beside. Rows that have passed already are not judged again. */
  async look(sets: readonly RowSet[]): Promise<Passed> {
    if (sets.every((set) => this.#isDone(set))) return { sets, failed: [] };
    const done: RowSet[] = [];
    const judged: JudgedSet[] = [];
    for (const set of sets) {
      const rule = this.#isDone(set) ? undefined : this.#guarding.ruleOf(set.table);
      if (rule === undefined) done.push(set);
      else judged.push(await this.#judge(rule, set));
    }
    for (const one of judged) await this.#settle(one);
    return { sets: together(done, judged), failed: judged.flatMap(({ failed }) => failed) };
  }

  /** What a refused row's policy decided doesn't count: it is decided again when the row is tried again. */
  uncount(conflict: ConflictWrite | undefined): void {
    if (conflict !== undefined) this.#guarding.ledger.conflicts.add(conflict, -1);
  }

  /** Whether emptying a table at the source leaves it alone here: no version says which rows it took. */
  keeps(table: TargetTable): boolean {
    return this.#guarding.ruleOf(table)?.kind === "two-way";
  }

  /** A table was emptied: nobody's rows are there any more. */
  async emptied(table: TargetTable, only?: Readonly<Record<string, string>>): Promise<void> {
    if (this.#guarding.ruleOf(table) === undefined) return;
    await guardedRows(this.#guarding.transaction).dropBases(table, only);
  }

  #isDone(set: RowSet): boolean {
    return isGuarded(set) || this.#guarding.ruleOf(set.table) === undefined;
  }

  async #judge(rule: TableRule, set: RowSet): Promise<JudgedSet> {
    switch (rule.kind) {
      case "one-way": {
        const keys = keysOf(set);
        const looks = await guardedRows(this.#guarding.transaction).look(set.table, keys);
        return judgeOneWay(rule.policy, set, new Map(keys.map((key, i) => [key, looks[i]!])));
      }
      case "two-way":
        return judgeTwoWay(rule, set, await this.#nodeRows(set));
      default:
        return assertNever(rule);
    }
  }

  /** Rows first, then versions, as all who write them do: whoever came before has committed by then. */
  async #nodeRows(set: RowSet): Promise<ReadonlyMap<string, NodeRow>> {
    const guarded = guardedRows(this.#guarding.transaction);
    const keys = keysOf(set);
    const looks = await guarded.look(set.table, keys, "all");
    const versions = await guarded.versions(set.table, keys);
    const rows = new Map(keys.map((key, i) => [key, { look: looks[i]!, held: versions[i] }]));
    // A row that wasn't there couldn't be locked: whoever made it meanwhile is done, now that its version is ours.
    const absent = keys.filter((_, i) => looks[i]!.image === undefined);
    const again = await guarded.look(set.table, absent, "all");
    for (const [i, key] of absent.entries()) rows.set(key, { look: again[i]!, held: rows.get(key)!.held });
    return rows;
  }

  async #settle({ table, writes, removes, held, answered = [] }: JudgedSet): Promise<void> {
    const { transaction, ledger } = this.#guarding;
    const written = [...writes, ...removes].flatMap(({ guard }) => guard?.conflict ?? []);
    for (const conflict of written) ledger.conflicts.add(conflict);
    const guarded = guardedRows(transaction);
    if (answered.length > 0) {
      await guarded.putVersions(table, answered);
      const decided = answered.flatMap(({ conflict }) => conflict ?? []);
      for (const conflict of decided) ledger.conflicts.add(conflict);
      await guarded.record(decided);
      await tellOthers(
        guarded,
        table,
        answered.flatMap(({ key, tell }) => (tell ? [key] : [])),
      );
    }
    if (held.length === 0) return;
    for (const { conflict } of held) ledger.conflicts.add(conflict);
    await guarded.keepBases(
      table,
      held.map(({ base }) => base),
    );
    await guarded.record(held.map(({ conflict }) => conflict));
  }
}

/** Sets in the order in which a target takes them: a policy may remove what was to be written, and the other way round. */
function together(done: readonly RowSet[], judged: readonly JudgedSet[]): RowSet[] {
  if (judged.length === 0) return [...done];
  const sets: RowSet[] = [
    ...done,
    ...judged.flatMap(({ table, writes, removes }): RowSet[] => [
      ...(writes.length > 0 ? [{ kind: "write", table, rows: writes } as const] : []),
      ...(removes.length > 0 ? [{ kind: "remove", table, rows: removes } as const] : []),
    ]),
  ];
  return arrangeSets(
    sets.filter((set) => set.kind === "write"),
    sets.filter((set) => set.kind === "remove"),
  );
}
