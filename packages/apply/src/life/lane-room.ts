import type {
  Conflicts,
  LaneSession,
  LetterSchedule,
  Logger,
  Mapping,
  StreamReader,
  Target,
  TargetAnnouncement,
  TwoWayLane,
} from "@lockstep/core";
import type { LaneLimits } from "../lane-options.js";
import type { Acknowledger } from "../report/acknowledger.js";
import type { LaneStatus } from "../report/lane-status.js";
import type { RefusalWindow } from "../write/refusal-window.js";
import type { Bell, Sleep } from "./bell.js";
import type { RetryRules } from "../write/retry-rules.js";

/** What every state of a lane works with; lives as long as the lane. */
export interface LaneRoom {
  readonly source: string;
  readonly partition: number;
  readonly partitions: number;
  readonly target: Target;
  readonly reader: StreamReader;
  readonly mapping?: Mapping;
  readonly conflicts?: Conflicts;
  readonly twoWay?: TwoWayLane;
  readonly schedule: LetterSchedule;
  readonly retry: RetryRules;
  readonly limits: LaneLimits;
  readonly logger: Logger;
  /** The wall clock: for what is stored, shown, or compared with another clock. */
  readonly now: () => number;
  /** A clock that nobody sets, ms: for durations. By the wall clock everything here would stand still while it is put back. */
  readonly elapsed: () => number;
  readonly random: () => number;
  readonly sleep: Sleep;
  readonly status: LaneStatus;
  readonly acks: Acknowledger;
  readonly refusals: RefusalWindow;
  /** Rings for entries, nudges, a lost session and the end. */
  readonly bell: Bell;
  /** Aborts when the lane is to drain. */
  readonly stopping: AbortSignal;
  /** Nudges (letters are due, or a person decided something), and how many of them were answered by looking. */
  readonly nudges: { count: number; seen: number };
  /** Faults in a row, for the backoff. */
  readonly faults: { count: number };
}

/** A lane while this process owns it. */
export interface OwnedLane {
  readonly room: LaneRoom;
  readonly session: LaneSession;
  readonly announcement: TargetAnnouncement;
  /** True once the session's connection has ended. */
  readonly lost: () => boolean;
}

/** The lane's name in the target's checkpoint table. */
export function laneName({ source, partition }: LaneRoom): {
  readonly source: string;
  readonly partition: number;
} {
  return { source, partition };
}

/** Fields of every log line of a lane. */
export function laneFields(room: LaneRoom): {
  readonly source: string;
  readonly target: string;
  readonly partition: number;
} {
  return { source: room.source, target: room.target.name, partition: room.partition };
}
