import type {
  Checkpoint,
  LaneReport,
  LetterState,
  ReadsReport,
  RelayReport,
  Target,
  TargetAnnouncement,
} from "@lockstep/core";
import type { FleetSource, FleetTarget } from "../fleet/fleet.js";

/** An answer, or why there is none. */
type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/** A checkpoint with its lane. */
export type LaneCheckpoint = Checkpoint & { readonly source: string; readonly partition: number };

/** What one target says of itself. */
export interface TargetObservation {
  readonly target: { readonly name: string; readonly target: Pick<Target, "address"> };
  readonly answer: Answer<{
    readonly checkpoints: readonly LaneCheckpoint[];
    readonly letters: Readonly<Record<LetterState, number>>;
  }>;
}

/** What one source's Redis and targets say at one moment. */
export interface SourceObservation {
  readonly source: Pick<FleetSource, "name">;
  readonly redis: Answer<{
    readonly relay: RelayReport | undefined;
    readonly lanes: readonly LaneReport[];
    readonly announced: readonly TargetAnnouncement[];
    readonly reads: readonly ReadsReport[];
  }>;
  readonly targets: readonly TargetObservation[];
}

/** Looks at a source. Never fails and never takes longer than the doors' bound: what is silent is part of the answer. */
export async function observe(source: FleetSource): Promise<SourceObservation> {
  const [redis, ...targets] = await Promise.all([
    answerOf(askRedis(source)),
    ...source.targets.map(observeTarget),
  ]);
  return { source, redis, targets };
}

/** Looks at a target. Several who look at once share one answer. */
async function observeTarget(target: FleetTarget): Promise<TargetObservation> {
  return { target, answer: await answerOf(askTarget(target)) };
}

async function askTarget({ target, door }: FleetTarget) {
  const [checkpoints, letters] = await Promise.all([
    door.share("checkpoints", () => target.checkpoints()),
    door.share("letter counts", () => target.letters.counts()),
  ]);
  return { checkpoints, letters };
}

async function askRedis({ reader, door }: FleetSource) {
  const [relay, lanes, announced, reads] = await Promise.all([
    door.share("relay", () => reader.relay()),
    door.share("lanes", () => reader.lanes()),
    door.share("targets", () => reader.targets()),
    door.share("reads", () => reader.reads()),
  ]);
  return { relay, lanes, announced, reads };
}

async function answerOf<T>(work: Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    return { ok: false, error };
  }
}
