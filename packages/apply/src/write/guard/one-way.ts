import {
  type ConflictWrite,
  completeImage,
  isSameRow,
  LockstepError,
  isLockstepError,
  type Resolution,
  type RowImage,
  type RowLook,
  rowTexts,
  type Sides,
  type TablePolicy,
  tableId,
} from "@lockstep/core";
import { isPartial } from "../../batch/merge-images.js";
import {
  type PlannedRemove,
  type PlannedWrite,
  positionOfEvent,
  type SourceChange,
} from "../../batch/planned-changes.js";
import type { RowSet } from "../arrange.js";
import type { JudgedSet, OpenJudgement } from "./judged.js";

/** What lies under the keys of a set. */
export type Looks = ReadonlyMap<string, RowLook>;

const nothing: RowLook = { state: "absent" };

/** The keys that a set touches. */
export function keysOf(set: RowSet): readonly string[] {
  if (set.kind === "remove") return set.rows.map(({ key }) => key);
  const keys = new Set<string>();
  for (const { key, before } of set.rows) {
    keys.add(key);
    if (before !== undefined) keys.add(before);
  }
  return [...keys];
}

/**
 * Judges rows of a table whose source alone is followed: what nobody else has changed is written as it comes, for the rest the policy decides. A change of the key is always taken:
 * the policy decides about the other columns. Pure.
 */
export function judgeOneWay(policy: TablePolicy, set: RowSet, looks: Looks): JudgedSet {
  const open: OpenJudgement = { writes: [], removes: [], held: [], answered: [], failed: [] };
  const judge = new OneWay(policy, set, looks, open);
  const changes: readonly SourceChange[] =
    set.kind === "write"
      ? set.rows.map((row) => ({ kind: "write", row }))
      : set.rows.map((row) => ({ kind: "remove", row }));
  for (const change of changes) judge.take(change);
  return { table: set.table, ...open };
}

class OneWay {
  constructor(
    private readonly policy: TablePolicy,
    private readonly set: RowSet,
    private readonly looks: Looks,
    private readonly open: OpenJudgement,
  ) {}

  /** A change; when its policy fails nothing of it is written. */
  take(change: SourceChange): void {
    const { writes, removes, held } = this.open;
    const lengths = [writes.length, removes.length, held.length] as const;
    try {
      if (change.kind === "write") this.#write(change.row);
      else this.#remove(change.row);
    } catch (error) {
      [writes.length, removes.length, held.length] = lengths;
      this.open.failed.push({ ...change, table: this.set.table, fault: faultOf(error) });
    }
  }

  #write(row: PlannedWrite): void {
    if (row.before !== undefined) return this.#move(row, row.before);
    const look = this.#at(row.key);
    if (look.state !== "changed") return this.#pass(row, look.state === "absent");
    this.#judgeWrite(row, look);
  }

  #remove(row: PlannedRemove): void {
    const { state, image, base } = this.#at(row.key);
    if (state === "absent") return;
    // Gone on both sides: that is no conflict.
    if (state === "unchanged" || image === undefined) {
      this.open.removes.push({ ...row, guard: { insert: false } });
      return;
    }
    const resolution = this.#resolve({ target: image }, base);
    this.#decide({ kind: "remove", row }, { target: image }, resolution);
  }

  #judgeWrite(row: PlannedWrite, { image: target, base }: RowLook): void {
    const source = completeImage(completeImage(row.image, target), base);
    if (target !== undefined && isSameRow(this.#schema, source, target)) return this.#pass(row, false);
    const sides = target === undefined ? { source } : { source, target };
    this.#decide({ kind: "write", row }, sides, this.#resolve(sides, base));
  }

  /** The row is under its former key still, or isn't: the new key may be taken. */
  #move(row: PlannedWrite, before: string): void {
    const [here, there] = [this.#at(row.key), this.#at(before)];
    const free = here.state === "absent" || (here.state === "changed" && here.image === undefined);
    if (free && there.state === "unchanged") return this.#pass(row, false);
    if (free && there.image !== undefined) {
      const image = this.#underKey(there.image, row.image);
      return this.#judgeWrite(row, { ...there, image });
    }
    // Two rows now, each judged by itself.
    const { before: _, ...alone } = row;
    const image = completeImage(completeImage(row.image, there.image), there.base);
    const moved = {
      ...alone,
      image,
      partial: isPartial(image),
      source: row.source ?? { kind: "write", row },
    } as const;
    if (free) return there.state === "absent" ? this.#pass(moved, true) : this.#judgeWrite(moved, there);
    this.#write(moved);
    // Removed after the writes, the row that takes the former key would go with it.
    if (this.set.rows.some(({ key }) => key === before)) return;
    const { schema, event, part } = row;
    this.#remove({ key: before, schema, event, part, source: moved.source });
  }

  #pass(row: PlannedWrite, insert: boolean): void {
    this.open.writes.push({ ...row, image: row.image, guard: { insert } });
  }

  #decide(change: SourceChange, sides: Sides, { outcome, image }: Resolution): void {
    const conflict = this.#record(change, sides, outcome, image);
    const incoming = sides.source === undefined ? "null" : this.#texts(sides.source);
    const decided = outcome === "source" ? {} : { decided: incoming };
    const came = change.kind === "write" ? { incoming: change.row } : {};
    const guard = { insert: sides.target === undefined, conflict, ...decided, ...came };
    const source = change.row.source ?? change;
    const moves = change.kind === "write" && change.row.before !== undefined;
    if (image === undefined && sides.target === undefined) {
      this.open.held.push({ base: { key: change.row.key, ...decided }, conflict });
    } else if (image === undefined) {
      const { key, schema, event, part } = change.row;
      const gone = moves ? change.row.before! : key;
      this.open.removes.push({ key: gone, schema, event, part, source, guard });
    } else if (outcome === "target" && !moves) {
      this.open.held.push({ base: { key: change.row.key, ...decided }, conflict });
    } else {
      const { key, schema, event, part } = change.row;
      const row = { key, image, schema, event, part, partial: isPartial(image), source, guard };
      this.open.writes.push(
        moves ? { ...row, before: change.row.before!, guard: { ...guard, insert: false } } : row,
      );
    }
  }

  #record(
    { row }: SourceChange,
    { source, target }: Sides,
    outcome: ConflictWrite["outcome"],
    result: RowImage | undefined,
  ): ConflictWrite {
    return {
      table: tableId(this.#schema),
      key: row.key,
      position: positionOfEvent(row.part, row.event),
      policy: this.policy.name,
      outcome,
      ...(source === undefined ? {} : { source: this.#texts(source) }),
      ...(target === undefined ? {} : { target: this.#texts(target) }),
      ...(result === undefined ? {} : { result: this.#texts(result) }),
    };
  }

  #resolve(sides: Sides, base: RowImage | undefined): Resolution {
    return this.policy.resolve(base === undefined ? sides : { ...sides, base });
  }

  /** The target's row as it would be under the new key. */
  #underKey(image: RowImage, incoming: RowImage): RowImage {
    const { columns, key } = this.#schema;
    return image.map((cell, i) => (key.includes(columns[i]!.name) ? incoming[i]! : cell));
  }

  #texts(image: RowImage): string {
    return rowTexts(this.#schema, image);
  }

  #at(key: string): RowLook {
    return this.looks.get(key) ?? nothing;
  }

  get #schema() {
    return this.set.table.schema;
  }
}

/** What a policy's failure says of its row; throws on anything else. */
export function faultOf(error: unknown): {
  readonly code: "CONFLICT_POLICY_FAILED";
  readonly about?: string;
  readonly rawError: string;
} {
  if (!isLockstepError(error, "CONFLICT_POLICY_FAILED")) throw error;
  const { cause, details, message }: LockstepError = error;
  // What the user's code threw may quote values: it lies beside the image, under the same protection (PROTOCOL.md 33).
  const rawError = cause instanceof Error ? cause.message : message;
  const about = details["about"];
  const code = "CONFLICT_POLICY_FAILED";
  return typeof about === "string" ? { code, about, rawError } : { code, rawError };
}
