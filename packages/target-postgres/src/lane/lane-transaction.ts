import type {
  DeadLetter,
  DeadLetterDetail,
  LetterWrite,
  Position,
  RowWrite,
  TargetTable,
  TargetTransaction,
} from "@lockstep/core";
import { LaneLetters } from "../letters/lane-letters.js";
import { missingParents, type RowName } from "../rows/missing-parents.js";
import { moveKeys } from "../rows/move-keys.js";
import { removeRows, truncateTable } from "../rows/remove.js";
import type { RunInStep } from "../rows/statements.js";
import { upsertRows } from "../rows/upsert.js";
import type { LaneTables } from "../tables/lane-tables.js";
import { postgresTable } from "../tables/postgres-table.js";
import { moveAside, type TakenOut } from "../unique/move-aside.js";
import type { LaneName } from "./checkpoint-row.js";
import type { OpenTransaction } from "./open-transaction.js";
import { clearStagedLines, type StagedLine, stagedLines, stageLines } from "./staging.js";

/** What a lane may do inside of one step. */
export class LaneTransaction implements TargetTransaction {
  readonly #open: OpenTransaction;
  readonly #lane: LaneName;
  readonly #tables: LaneTables;
  readonly #letters: LaneLetters;
  readonly #run: RunInStep;
  /** By source table id. */
  readonly #takenOut = new Map<string, TakenOut>();

  constructor(open: OpenTransaction, lane: LaneName, tables: LaneTables) {
    this.#open = open;
    this.#lane = lane;
    this.#tables = tables;
    this.#run = (commands) => open.run(commands);
    this.#letters = new LaneLetters(this.#run, lane);
  }

  async upsert(table: TargetTable, rows: readonly RowWrite[]): Promise<void> {
    const own = postgresTable(table);
    await moveKeys(this.#run, own, rows);
    await upsertRows(this.#run, own, rows, this.#takenOut.get(own.name));
  }

  async remove(table: TargetTable, keys: readonly string[]): Promise<void> {
    await removeRows(this.#run, postgresTable(table), keys);
  }

  async truncate(table: TargetTable): Promise<void> {
    await truncateTable(this.#run, postgresTable(table));
  }

  async moveUniqueAside(table: TargetTable, keys: readonly string[]): Promise<void> {
    const own = postgresTable(table);
    const taken = await moveAside(this, own, keys);
    if (taken.size > 0)
      this.#takenOut.set(own.name, new Map([...(this.#takenOut.get(own.name) ?? []), ...taken]));
  }

  /** For {@link moveAside}. */
  readonly run: RunInStep = (commands) => this.#run(commands);

  /** For {@link moveAside}: where the values begin that are moved aside. */
  random(): number {
    return Math.random();
  }

  savepoint<T>(work: () => Promise<T>): Promise<T> {
    return this.#open.savepoint(work);
  }

  missingParents(table: TargetTable, row: RowWrite): Promise<readonly RowName[]> {
    return missingParents(this.#run, this.#tables, postgresTable(table), row);
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
    return stageLines(this.#run, this.#lane, position, lines);
  }

  staged(after: number, limit: number): Promise<readonly StagedLine[]> {
    return stagedLines(this.#run, this.#lane, after, limit);
  }

  clearStaged(): Promise<void> {
    return clearStagedLines(this.#run, this.#lane);
  }
}
