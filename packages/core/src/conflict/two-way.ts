import { compareVersions, joinVersions, type RowVersion, stampOf, type VersionOrder } from "./row-version.js";

/** A row's version as a node holds it. */
export interface HeldVersion {
  readonly version: RowVersion;
  /** How long ago the row was deleted, ms by the node's clock; absent while it is there. */
  readonly deletedMsAgo?: number;
}

/**
 * What a node does with another node's change of a row.
 * - `drop`: nothing: the node holds it already, or holds more
 * - `take`: the row becomes the event's, under `version`
 * - `decide`: the policy says what the row becomes, under `version`
 *
 * A version without `from` is new to every node, also to the one that the event comes from: it has to be sent to all.
 */
export type TwoWayAnswer =
  | { readonly kind: "drop" }
  | { readonly kind: "take"; readonly version: RowVersion }
  | { readonly kind: "decide"; readonly version: RowVersion };

const drop = { kind: "drop" } as const;

/**
 * The version of an event that names none: its row was last written before its node kept versions, and nobody knows when. It must be one:
 * if rows without a version were taken from each other as they are, two nodes would send them to and fro for ever.
 */
export const firstVersion: RowVersion = { stamp: 1, node: "", seen: { "": 1 } };

/** A deleted row's version binds for so long, ms: 30 days. No event may be under way for longer. */
export const tombstoneMs = 30 * 24 * 60 * 60 * 1000;

/**
 * How many times as long the hub keeps it. If it forgot first, the version of a row that it makes anew would not have seen the leaf's tombstone, and the leaf would
 * wait for ever for an answer that nobody owes it.
 */
export const hubKeepsTimes = 2;

/** What a leaf does with the hub's change. */
export function answerAtLeaf(
  event: { readonly version: RowVersion; readonly snapshot: boolean },
  held: HeldVersion | undefined,
  { source, target }: { readonly source: string; readonly target: string },
): TwoWayAnswer {
  // A write of this leaf is on its way to the hub, whose answer will have seen both. Whoever took the hub's row here, even a repair's, would show a row that the hub
  // is about to leave. What the hub has forgotten by now it won't answer.
  if (stampOf(held?.version, target) > stampOf(event.version, target) && !isForgotten(held)) return drop;
  const order = orderOf(event.version, held?.version);
  // The same write, sent once more by a repair: the row itself may differ.
  const isNews = order === "after" || order === "concurrent" || (order === "equal" && event.snapshot);
  // The hub's version as it is. Joined with the leaf's it could be one that the hub's next decision has, too, and that decision would pass for known here.
  return isNews ? { kind: "take", version: { ...bare(event.version), from: source } } : drop;
}

/**
 * What the hub does with a leaf's change: it alone decides conflicts, so that no two nodes can decide one differently. `isThere`: it has the row, whether or not it has
 * a version of it.
 */
export function answerAtHub(
  event: { readonly version: RowVersion },
  held: HeldVersion | undefined,
  {
    source,
    target,
    isThere,
  }: { readonly source: string; readonly target: string; readonly isThere: boolean },
): TwoWayAnswer {
  // Both are from before versions were kept. If each node took the other's as it is, two that were sent at a time would change places for good: the hub's answer is its
  // first write, which goes to all.
  if (held === undefined && isFirst(event.version))
    return {
      kind: isThere ? "decide" : "take",
      version: { stamp: 2, node: target, seen: { [target]: 2 } },
    };
  switch (orderOf(event.version, held?.version)) {
    case "after":
      return { kind: "take", version: { ...bare(event.version), from: source } };
    case "before":
    case "equal":
      return drop;
    case "concurrent": {
      // Always the later stamp, whoever wins: a node whose clock was put back must not give its next write a stamp that its row has seen already.
      const version = joinVersions(bare(event.version), bare(held!.version));
      return { kind: isForgotten(held) ? "take" : "decide", version };
    }
  }
}

/** What was written before versions were kept is older than all that was written since. */
function orderOf(event: RowVersion, held: RowVersion | undefined): VersionOrder {
  if (held === undefined || isFirst(event) === isFirst(held)) {
    return compareVersions(bare(event), held && bare(held));
  }
  return isFirst(event) ? "before" : "after";
}

function isFirst({ stamp }: RowVersion): boolean {
  return stamp === firstVersion.stamp;
}

/** Without what was there before versions were kept: nodes don't agree about that. */
function bare(version: RowVersion): RowVersion {
  if (isFirst(version)) return version;
  const { "": _, ...seen } = version.seen;
  return { ...version, seen };
}

/**
 * The version of a row that its node writes anew as it is: it has seen what `others` hold, so that it replaces that wherever it comes. `clock`: microseconds since 1970.
 */
export function newVersion(
  node: string,
  clock: number,
  others: readonly (RowVersion | undefined)[],
): RowVersion {
  const known = others.flatMap((one) => (one === undefined ? [] : [bare(one)]));
  const seen = new Map<string, number>();
  for (const one of known)
    for (const [name, stamp] of Object.entries(one.seen))
      seen.set(name, Math.max(stamp, seen.get(name) ?? 0));
  const stamp = Math.max(clock, ...[...seen.values(), ...known.map((one) => one.stamp)].map((s) => s + 1));
  return { stamp, node, seen: Object.fromEntries(seen.set(node, stamp)) };
}

function isForgotten(held: HeldVersion | undefined): boolean {
  return (held?.deletedMsAgo ?? 0) > tombstoneMs;
}
