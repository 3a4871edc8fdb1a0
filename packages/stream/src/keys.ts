import { LockstepError, type Feed } from "@lockstep/core";

/** Version of the layout below; it is part of the streams' names (PROTOCOL.md 23). */
export const layoutVersion = 1;

/** Names of all keys of a source. Keys of one partition share a hash tag, so that a script may touch them together in a Redis Cluster. */
export interface Keys {
  /** Stream of a feed. */
  feed(feed: Feed): string;
  /** Hash: epoch and incarnation of a feed. */
  epoch(feed: Feed): string;
  /** Hash: target id → last position acknowledged. */
  acks(partition: number): string;
  /** Hash: target id → position to be fed from. */
  catchUps(partition: number): string;
  /** Hash: fingerprint → schema. */
  readonly schemas: string;
  /** Hash: `<id>:<partition>` → announcement with its time. */
  readonly targets: string;
  /** Hash: `<id>:<partition>` → the relay's answer. */
  readonly confirmations: string;
  /** The relay's report; expires. */
  readonly relay: string;
  /** Hash: `<id>:<partition>` → lane report with its time. */
  readonly lanes: string;
  /** Hash: job id → what whoever works on it last said, with its time. */
  readonly jobs: string;
  /** Hash: host and process → where its reads go, with its time. */
  readonly reads: string;
  /** Channel that wakes the relay. */
  readonly wake: string;
  /** Channel that wakes lanes. */
  readonly nudge: string;
}

/**
 * The keys of a source.
 * @throws LockstepError CONFIG_INVALID when its name would break the hash tags.
 */
export function keysOf(source: string): Keys {
  if (source === "" || /[{}\s]/.test(source)) {
    throw new LockstepError("CONFIG_INVALID", "a source's name must not be empty or hold spaces or braces");
  }
  const tag = (partition: number): string => `{lockstep:${source}:${partition}}`;
  const shared = `{lockstep:${source}}`;
  const feed = ({ partition, target }: Feed): string =>
    target === undefined
      ? `${tag(partition)}:changes:v${layoutVersion}`
      : `${tag(partition)}:catchup:v${layoutVersion}:${target}`;
  return {
    feed,
    epoch: (of) => `${feed(of)}:epoch`,
    acks: (partition) => `${tag(partition)}:acks`,
    catchUps: (partition) => `${tag(partition)}:catchups`,
    schemas: `${shared}:schemas`,
    targets: `${shared}:targets`,
    confirmations: `${shared}:confirmations`,
    relay: `${shared}:relay`,
    lanes: `${shared}:lanes`,
    // Not "jobs": that is the queue's.
    jobs: `${shared}:job-reports`,
    reads: `${shared}:reads`,
    wake: `${shared}:wake`,
    nudge: `${shared}:nudge`,
  };
}

/** Field of a target's lane in the hashes above. */
export function laneField(target: { readonly id: string; readonly partition: number }): string {
  return `${target.id}:${target.partition}`;
}
