import { keysOf } from "./keys.js";
import type { LinkOptions, RedisLink } from "./redis-link.js";
import { subscribe } from "./subscription.js";

/** Which lane: a target's name, its source and partition. */
export interface LaneName {
  readonly target: string;
  readonly source: string;
  readonly partition: number;
}

/** Wakes lanes across processes. */
export interface LaneNudges {
  nudge(lane: LaneName): Promise<void>;
  /** Calls `wake` when the lane is nudged, and after a reconnect, when a nudge may have been lost. Returns a function that stops it. */
  onNudge(lane: LaneName, wake: () => void): () => void;
  close(): void;
}

/** Nudges by publish and subscribe: a lost one costs a second, the lane looks by itself. */
export function laneNudges(options: LinkOptions & { readonly source: string }, link: RedisLink): LaneNudges {
  const channel = keysOf(options.source).nudge;
  const messages = subscribe(options, channel);
  const nameOf = ({ target, partition }: LaneName): string => JSON.stringify([target, partition]);
  return {
    async nudge(lane) {
      await link.call((client) => client.call("publish", channel, nameOf(lane)));
    },
    onNudge(lane, wake) {
      const mine = nameOf(lane);
      return messages.listen((message) => {
        if (message === "" || message === mine) wake();
      });
    },
    close: () => messages.close(),
  };
}
