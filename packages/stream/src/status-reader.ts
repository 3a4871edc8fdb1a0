import type { LaneReport, ReadsReport, RelayReport, TargetAnnouncement } from "@lockstep/core";
import { keysOf } from "./keys.js";
import { laneNudges, type LaneName } from "./lane-nudges.js";
import { openLink, type LinkOptions } from "./redis-link.js";
import { listFresh } from "./fresh-records.js";

/** Settings of {@link redisStatusReader}. */
export interface StatusReaderOptions extends LinkOptions {
  readonly source: string;
}

/** What relay and lanes say of themselves. Every method throws LockstepError STREAM_UNAVAILABLE when Redis can't be reached. */
export interface StreamStatusReader {
  /** The leading relay's last word; `undefined` when it has been silent for 10 s. */
  relay(): Promise<RelayReport | undefined>;
  /** Every lane that spoke in the last 10 s. */
  lanes(): Promise<readonly LaneReport[]>;
  /** Every lane's target that announced itself in the last 10 s. */
  targets(): Promise<readonly TargetAnnouncement[]>;
  /** Where the reads of the application's processes go, as those said that spoke in the last 10 s. */
  reads(): Promise<readonly ReadsReport[]>;
  /** Tells a lane that something was decided about it. */
  nudge(lane: LaneName): Promise<void>;
  close(): Promise<void>;
}

/** The status service's side of Redis. */
export function redisStatusReader(options: StatusReaderOptions): StreamStatusReader {
  const keys = keysOf(options.source);
  const link = openLink(options);
  const nudges = laneNudges(options, link);
  const fresh = <T>(key: string): Promise<T[]> => link.call((client) => listFresh<T>(client, key));
  return {
    async relay() {
      const text = await link.call((client) => client.call("get", keys.relay));
      return typeof text === "string" ? (JSON.parse(text) as RelayReport) : undefined;
    },
    lanes: () => fresh<LaneReport>(keys.lanes),
    targets: () => fresh<TargetAnnouncement>(keys.targets),
    reads: () => fresh<ReadsReport>(keys.reads),
    nudge: (lane) => nudges.nudge(lane),
    async close() {
      nudges.close();
      link.close();
    },
  };
}
