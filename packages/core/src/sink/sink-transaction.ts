import { isLockstepError, LockstepError } from "../errors.js";
import type { Position } from "../position.js";
import { type TableSchema, tableId } from "../table-schema.js";
import type { Sink, SinkChange, SinkLane, SinkRefusal } from "../ports/sink.js";
import type { RowWrite, TargetTable, TargetTransaction } from "../ports/target.js";

/** A row that the sink refused. */
export class SinkRefused extends Error {
  constructor(readonly refusal: SinkRefusal) {
    super(refusal.rawError);
  }
}

/** Changes that a window remembers; a step of more is sent again as a whole. */
export const mostRemembered = 100_000;

/** What has been sent since the checkpoint last moved: trying again, or row by row, sends nothing twice that has arrived. */
export class SinkWindow {
  readonly refused = new Map<string, SinkRefusal>();
  readonly #delivered = new Set<string>();
  #isFull = false;

  get size(): number {
    return this.#delivered.size;
  }

  has(name: string): boolean {
    return this.#delivered.has(name);
  }

  /** Once there are too many, none is remembered: an older change of a row that is sent again must be followed by the newer one. */
  add(name: string): void {
    if (this.#isFull) return;
    this.#delivered.add(name);
    if (this.#delivered.size <= mostRemembered) return;
    this.#isFull = true;
    this.#delivered.clear();
  }

  /** A table is emptied: what was sent before would be missing after a second time. */
  forget(): void {
    this.#delivered.clear();
  }
}

/** What the rows of one step are written with. */
export interface SinkStep {
  readonly sink: Sink;
  readonly lane: SinkLane;
  readonly position: Position;
  readonly version: string;
  readonly window: SinkWindow;
  /** Name of the target, for messages. */
  readonly name: string;
}

/** The rows' half of a lane's transaction: they go to the sink at once, and nothing takes them back. */
export function sinkRows(
  step: SinkStep,
): Pick<
  TargetTransaction,
  "upsert" | "remove" | "truncate" | "moveUniqueAside" | "savepoint" | "missingParents"
> {
  const { sink, lane, position, version, window } = step;
  return {
    upsert: ({ schema }, rows) => send(step, schema, changesOf(rows, position, version)),
    remove: ({ schema }, keys, positions = []) =>
      send(
        step,
        schema,
        keys.map((key, i) => ({ key, position: positions[i] ?? position, version })),
      ),
    truncate: ({ schema }, only) => {
      window.forget();
      const truncate = only === undefined ? { position, version } : { position, version, only };
      return reach(step, () => sink.truncate(schema, truncate, lane));
    },
    moveUniqueAside: () => Promise.resolve(),
    savepoint: (work) => work(),
    missingParents: () => Promise.resolve([]),
  };
}

/** Rows as changes, and the keys that rows left and none took. */
function changesOf(rows: readonly RowWrite[], at: Position, version: string): readonly SinkChange[] {
  const written = new Set(rows.map(({ key }) => key));
  return rows.flatMap((row): SinkChange[] => {
    const { key, image, before, position = at } = row;
    const change = { key, position, version, image };
    if (before === undefined || before === key) return [change];
    const moved = { ...change, before };
    return written.has(before) ? [moved] : [moved, { key: before, position, version }];
  });
}

async function send(step: SinkStep, schema: TableSchema, changes: readonly SinkChange[]): Promise<void> {
  const { sink, lane, window } = step;
  const nameOf = ({ key, position, image }: SinkChange): string =>
    `${tableId(schema)}\u0000${key}\u0000${position}${image === undefined ? "-" : "+"}`;
  const open = changes.filter((change) => !window.has(nameOf(change)) && !window.refused.has(nameOf(change)));
  if (open.length > 0) {
    const refusals = new Map(
      (await reach(step, () => sink.write(schema, open, lane))).map((one) => [one.key, one]),
    );
    for (const change of open) {
      const refusal = refusals.get(change.key);
      if (refusal === undefined) window.add(nameOf(change));
      else window.refused.set(nameOf(change), refusal);
    }
  }
  const refused = changes
    .map((change) => window.refused.get(nameOf(change)))
    .find((one) => one !== undefined);
  if (refused !== undefined) throw new SinkRefused(refused);
}

/** Whatever a sink throws that isn't about rows is about the sink: the lane waits. */
export async function reach<T>({ name }: Pick<SinkStep, "name">, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (isLockstepError(cause)) throw cause;
    throw new LockstepError("TARGET_UNAVAILABLE", `${name} did not take the changes`, { cause });
  }
}

/** A table as a sink has it: no constraints that Lockstep knows of. */
export function sinkTable(schema: TableSchema): TargetTable {
  return {
    schema,
    name: schema.name,
    parents: [],
    selfReferencing: false,
    hasSecondaryUnique: false,
    wantsPositions: true,
  };
}
