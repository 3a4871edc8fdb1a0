import type {
  DeadLetter,
  DeadLetterDetail,
  GuardedRows,
  LetterDesk,
  LetterWrite,
  Position,
  RowWrite,
  TargetOptions,
  TargetTable,
  TargetTransaction,
} from "@lockstep/core";
import { guardedRows } from "../guarded/guarded-rows.js";
import { LaneLetters } from "../letters/lane-letters.js";
import { PostgresLetterDesk } from "../letters/letter-desk.js";
import { missingParents, type RowName } from "../rows/missing-parents.js";
import { keyMoves, moveKeys } from "../rows/move-keys.js";
import { removeRows, truncateTable } from "../rows/remove.js";
import type { StepStatements } from "../rows/statements.js";
import { upsertRows } from "../rows/upsert.js";
import type { LaneTables } from "../tables/lane-tables.js";
import { postgresTable } from "../tables/postgres-table.js";
import { moveAside } from "../unique/move-aside.js";
import type { LaneName } from "./checkpoint-row.js";
import type { OpenTransaction } from "./open-transaction.js";
import { clearStagedLines, type StagedLine, stagedLines, stageLines } from "./staging.js";

/** What a lane may do inside of one step. */
export class LaneTransaction implements TargetTransaction {
  readonly #open: OpenTransaction;
  readonly #step: StepStatements;
  readonly #lane: LaneName;
  readonly #tables: LaneTables;
  readonly #letters: LaneLetters;

  readonly guarded: GuardedRows;
  readonly letters: Pick<LetterDesk, "get" | "list">;

  constructor(
    open: OpenTransaction,
    lane: LaneName,
    tables: LaneTables,
    options: Pick<TargetOptions, "announce" | "namespace"> = {},
  ) {
    this.#open = open;
    this.#step = {
      run: (commands) => open.run(commands),
      savepoint: (work) => open.savepoint(work),
    };
    this.#lane = lane;
    this.#tables = tables;
    this.#letters = new LaneLetters(this.#step.run, lane);
    this.letters = new PostgresLetterDesk(
      async (text, values = []) => (await open.run([{ text, values }]))[0]!,
    );
    this.guarded = guardedRows(this.#step, lane, options);
  }

  // The first statement leaves before this returns: while the target is busy with it, the lane prepares what comes next.
  upsert(table: TargetTable, rows: readonly RowWrite[]): Promise<void> {
    const own = postgresTable(table);
    const moves = keyMoves(rows);
    if (moves.length === 0) return upsertRows(this.#step, own, rows);
    return moveKeys(this.#step.run, own, moves).then(() => upsertRows(this.#step, own, rows));
  }

  remove(table: TargetTable, keys: readonly string[]): Promise<void> {
    return removeRows(this.#step.run, postgresTable(table), keys);
  }

  truncate(table: TargetTable, only?: Readonly<Record<string, string>>): Promise<void> {
    return truncateTable(this.#step.run, postgresTable(table), only);
  }

  moveUniqueAside(table: TargetTable, keys: readonly string[]): Promise<void> {
    return moveAside(this.#step, postgresTable(table), keys);
  }

  async checkAtOnce(): Promise<void> {
    await this.#step.run([{ text: "set constraints all immediate" }]);
  }

  savepoint<T>(work: () => Promise<T>): Promise<T> {
    return this.#step.savepoint(work);
  }

  missingParents(table: TargetTable, row: RowWrite): Promise<readonly RowName[]> {
    return missingParents(this.#step.run, this.#tables, postgresTable(table), row);
  }

  findLetters(keys: readonly RowName[]): Promise<readonly DeadLetter[]> {
    return this.#letters.find(keys);
  }

  dueLetters(limit: number): Promise<readonly DeadLetterDetail[]> {
    return this.#letters.due(limit);
  }

  waitingLetters(id: string, limit: number): Promise<readonly DeadLetterDetail[]> {
    return this.#letters.waitingFor(id, limit);
  }

  putLetter(letter: LetterWrite): Promise<string> {
    return this.#letters.put(letter);
  }

  resolveLetters(ids: readonly string[], state: "applied" | "superseded"): Promise<void> {
    return this.#letters.resolve(ids, state);
  }

  stage(position: Position, lines: readonly string[]): Promise<void> {
    return stageLines(this.#step.run, this.#lane, position, lines);
  }

  staged(after: number, limit: number): Promise<readonly StagedLine[]> {
    return stagedLines(this.#step.run, this.#lane, after, limit);
  }

  clearStaged(): Promise<void> {
    return clearStagedLines(this.#step.run, this.#lane);
  }

  countRecords(more: number): Promise<void> {
    return this.#open.countRecords(more);
  }
}
