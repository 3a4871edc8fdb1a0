import { isLockstepError } from "../errors.js";
import type { HeldRows } from "../ports/held-rows.js";
import type { Sink, SinkLane } from "../ports/sink.js";
import type { Fault, LaneSession, Target, TargetTransaction } from "../ports/target.js";
import { reach, SinkRefused, sinkRows, sinkTable, SinkWindow } from "./sink-transaction.js";
import { sinkVersion } from "./sink-version.js";

/** Whole rows are read for the sake of their keys. */
const rowsPerPage = 500;

/** What a target over a sink is made of. */
export interface SinkTargetOptions {
  /** Name of the target in configuration, status and metrics. */
  readonly name: string;
  readonly sink: Sink;
  /** A target whose database keeps identity, checkpoints and letters, of this target alone; no rows are written to it. Closed with the sink. */
  readonly state: Target;
}

/**
 * A store without transactions as a target: rows go to the sink, everything else lies in `state`. A step locks the checkpoint there, writes the rows, then
 * moves it: a crash in between sends them again (at least once). Whoever loses the lane meanwhile can't be stopped, which is what versions are for
 * (PROTOCOL.md 19).
 */
export function sinkTarget({ name, sink, state }: SinkTargetOptions): Target {
  return {
    name,
    address: sink.address,
    capabilities: { transactions: false },
    letters: state.letters,
    open: () => state.open(),
    async lane(lane) {
      const session = await state.lane(lane);
      return session === undefined ? undefined : sinkLane(session, { name, sink, lane });
    },
    checkpoints: () => state.checkpoints(),
    setPaused: (lane, paused) => state.setPaused(lane, paused),
    async restart(lane, start) {
      await state.restart(lane, start);
      await markRestart({ name, sink, state }, lane);
    },
    setSeeded: (lane) => state.setSeeded(lane),
    ...(sink.held && { held: sink.held, keys: keysOf(sink.held) }),
    classify: (error) => classify(error, state),
    async close() {
      await sink.close();
      await state.close();
    },
  };
}

/** The store's mark is raised above those of before, or the next step would take it for one that was lost. Killed in between, the lane halts until it begins anew once more. */
async function markRestart({ name, sink, state }: SinkTargetOptions, lane: SinkLane): Promise<void> {
  const own = (await state.checkpoints()).find(
    ({ source, partition }) => source === lane.source && partition === lane.partition,
  );
  if (own !== undefined)
    await reach({ name }, async () => sink.end?.(sinkVersion({ ...own, epoch: 0 }), lane));
}

function keysOf(held: HeldRows): NonNullable<Target["keys"]> {
  return async (schema, { after, limit }) => {
    const from = after === undefined ? {} : { after: after[0]! };
    const { rows, next } = await held.page(schema, { limit: Math.min(limit, rowsPerPage), ...from });
    const keys = rows.map(({ key }) => JSON.parse(key) as string[]);
    return next === undefined ? { keys } : { keys, next: [next] };
  };
}

function classify(error: unknown, state: Target): Fault {
  if (error instanceof SinkRefused) {
    const { code, about } = error.refusal;
    return about === undefined ? { kind: "row", code } : { kind: "row", code, about };
  }
  if (isLockstepError(error) && error.recovery !== "dead-letter")
    return { kind: "systemic", code: error.code };
  return state.classify(error);
}

function sinkLane(
  session: LaneSession,
  { name, sink, lane }: { readonly name: string; readonly sink: Sink; readonly lane: SinkLane },
): LaneSession {
  let window = new SinkWindow();
  return {
    lost: session.lost,
    checkpoint: () => session.checkpoint(),
    register: (start) => session.register(start),
    async tables(schemas) {
      await reach({ name }, async () => sink.prepare?.(schemas, lane));
      return schemas.map(sinkTable);
    },
    async step(move, work) {
      const version = sinkVersion({ ...move.from, position: move.to });
      window.refused.clear();
      const checkpoint = await session.step(move, async (transaction) => {
        // A target may send the compare-and-set along with the next statement only: no row may leave before it has held.
        await transaction.countRecords(0);
        await reach({ name }, async () => sink.begin?.(move.from, lane));
        const rows = sinkRows({ sink, lane, name, window, version, position: move.to });
        await work({ ...letterHalf(transaction), ...rows });
        await reach({ name }, async () => sink.end?.(version, lane));
      });
      window = new SinkWindow();
      return checkpoint;
    },
    letterCounts: () => session.letterCounts(),
    overdueLetters: (before, limit) => session.overdueLetters(before, limit),
    pruneLetters: (before, limit) => session.pruneLetters(before, limit),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** What lies in the state's database. */
function letterHalf(t: TargetTransaction): Omit<TargetTransaction, keyof ReturnType<typeof sinkRows>> {
  return {
    findLetters: (keys) => t.findLetters(keys),
    dueLetters: (limit) => t.dueLetters(limit),
    waitingLetters: (id, limit) => t.waitingLetters(id, limit),
    letters: t.letters,
    putLetter: (letter) => t.putLetter(letter),
    resolveLetters: (ids, state) => t.resolveLetters(ids, state),
    stage: (position, lines) => t.stage(position, lines),
    staged: (after, limit) => t.staged(after, limit),
    clearStaged: () => t.clearStaged(),
    countRecords: (more) => t.countRecords(more),
  };
}
