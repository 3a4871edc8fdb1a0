import {
  answerAtHub,
  answerAtLeaf,
  type ConflictWrite,
  firstVersion,
  type HeldVersion,
  isSameRow,
  laterVersion,
  parseVersion,
  type Resolution,
  type RowImage,
  type RowLook,
  rowTexts,
  type RowVersion,
  type Sides,
  tableId,
  type TwoWayAnswer,
} from "@lockstep/core";
import { positionOfEvent, type SourceChange } from "../../batch/planned-changes.js";
import type { RowSet } from "../arrange.js";
import type { RowFault } from "../refused.js";
import type { JudgedSet, OpenJudgement } from "./judged.js";
import { faultOf } from "./one-way.js";
import type { TwoWayRule } from "./table-rule.js";

/** What lies under a key of a two-way table: the row and what it has seen, both locked. */
export interface NodeRow {
  readonly look: RowLook;
  readonly held: HeldVersion | undefined;
}

/**
 * Judges rows that come from another node: what this node has seen already is left out, what both sides have changed is decided at the hub and left to it at a leaf. Pure.
 */
export function judgeTwoWay(rule: TwoWayRule, set: RowSet, rows: ReadonlyMap<string, NodeRow>): JudgedSet {
  const open = { writes: [], removes: [], held: [], answered: [], failed: [] } satisfies OpenJudgement;
  const judge = new TwoWay(rule, set, rows, open);
  if (set.kind === "write") for (const row of set.rows) judge.take({ kind: "write", row });
  else for (const row of set.rows) judge.take({ kind: "remove", row });
  return { table: set.table, ...open };
}

class TwoWay {
  constructor(
    private readonly rule: TwoWayRule,
    private readonly set: RowSet,
    private readonly rows: ReadonlyMap<string, NodeRow>,
    private readonly open: OpenJudgement,
  ) {}

  take(change: SourceChange): void {
    const unfit = unfitness(change);
    if (unfit !== undefined) return this.#fail(change, unfit);
    const { held } = this.#under(change);
    const version = versionOf(change);
    const answer = this.#answer(change, version);
    if (answer.kind === "take") this.#become(change, imageOf(change), answer.version);
    if (answer.kind === "decide") this.#decide(change, [version, held?.version], answer.version);
  }

  #answer(change: SourceChange, version: RowVersion): TwoWayAnswer {
    const { writesTo, source, target } = this.rule;
    const { look, held } = this.#under(change);
    if (writesTo === "hub")
      return answerAtHub({ version }, held, { source, target, isThere: look.image !== undefined });
    return answerAtLeaf({ version, snapshot: change.row.event.op === "snapshot" }, held, { source, target });
  }

  #decide(
    change: SourceChange,
    [theirs, ours]: readonly [RowVersion, RowVersion | undefined],
    version: RowVersion,
  ): void {
    const sides = sidesOf(imageOf(change), this.#under(change).look.image);
    // Both did the same: there is nothing to decide, but the leaves must learn that it is the same.
    if (this.#agree(sides)) return this.#become(change, sides.target, version);
    // Of two from before versions were kept nobody knows which is the later one: the hub's stays.
    const later = ours !== undefined && laterVersion(theirs, ours) === theirs ? "source" : "target";
    let resolution: Resolution;
    try {
      resolution = this.rule.policy.resolve(sides, later);
    } catch (error) {
      return this.#fail(change, faultOf(error));
    }
    this.#become(change, resolution.image, version, this.#record(change, sides, resolution));
  }

  /** The row becomes this image, or goes. */
  #become(change: SourceChange, image: RowImage | undefined, version: RowVersion, conflict?: ConflictWrite) {
    const here = this.#under(change).look.image;
    const stays = image === undefined ? here === undefined : here !== undefined && this.#same(image, here);
    // No capture need see a row that stays as it is. Yet its version is news to the leaves: without it their next write would count as a conflict.
    const tell = this.rule.writesTo === "hub" && (stays || version.from === undefined);
    const { key, schema, event, part } = change.row;
    if (stays) {
      this.open.answered.push({
        key,
        version,
        deleted: image === undefined,
        tell,
        ...(conflict && { conflict }),
      });
      return;
    }
    const source = change.row.source ?? change;
    const guard = {
      insert: here === undefined,
      version,
      tell,
      ...(conflict && { conflict }),
      ...cameAs(change),
    };
    const row = { key, schema, event, part, source, guard };
    if (image === undefined) this.open.removes.push(row);
    else this.open.writes.push({ ...row, image, partial: false });
  }

  #agree({ source, target }: Sides): boolean {
    if (source === undefined || target === undefined) return source === target;
    return this.#same(source, target);
  }

  #same(one: RowImage, other: RowImage): boolean {
    return isSameRow(this.set.table.schema, one, other);
  }

  #record({ row }: SourceChange, { source, target }: Sides, { outcome, image }: Resolution): ConflictWrite {
    const { schema } = this.set.table;
    return {
      table: tableId(schema),
      key: row.key,
      position: positionOfEvent(row.part, row.event),
      policy: this.rule.policy.name,
      outcome,
      ...(source === undefined ? {} : { source: rowTexts(schema, source) }),
      ...(target === undefined ? {} : { target: rowTexts(schema, target) }),
      ...(image === undefined ? {} : { result: rowTexts(schema, image) }),
    };
  }

  #fail(change: SourceChange, fault: RowFault): void {
    this.open.failed.push({ ...change, table: this.set.table, fault });
  }

  #under({ row }: SourceChange): NodeRow {
    return this.rows.get(row.key)!;
  }
}

function unfitness(change: SourceChange): RowFault | undefined {
  if (change.kind === "remove") return undefined;
  const { partial, before } = change.row;
  const code = "TWO_WAY_ROW_UNFIT";
  // Laid over this node's row, it would be a row that no other node has.
  if (partial) return { code, about: "image", rawError: "the event doesn't hold the whole row" };
  return before === undefined ? undefined : { code, about: "key", rawError: "the row's key was changed" };
}

function versionOf({ row: { event } }: SourceChange): RowVersion {
  return event.version === undefined ? firstVersion : parseVersion(event.version);
}

function imageOf(change: SourceChange): RowImage | undefined {
  return change.kind === "write" ? change.row.image : undefined;
}

function cameAs(change: SourceChange) {
  return change.kind === "write" ? { incoming: change.row } : {};
}

function sidesOf(source: RowImage | undefined, target: RowImage | undefined): Sides {
  return { ...(source && { source }), ...(target && { target }) };
}
