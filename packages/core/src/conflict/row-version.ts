/**
 * Which writes a row of a two-way table holds, and which of them it shows. The same on every node that has the same row.
 *
 * A write's stamp is the writing node's clock in microseconds, but always above whatever the row's version held before: a write that knew
 * of another has the higher stamp, whatever the clocks say.
 */
export interface RowVersion {
  /** Stamp of the write that the row shows. */
  readonly stamp: number;
  /** The node that made that write. */
  readonly node: string;
  /** The version vector: of each node that ever wrote this row, the stamp of its newest write in the row's history. */
  readonly seen: Readonly<Record<string, number>>;
  /** The source whose lane wrote the row here; absent for a write of this node's own, and for a conflict decided here. */
  readonly from?: string;
}

/** How a version stands to another: it knows less, the same or more writes of the row, or each knows one that the other doesn't. */
export type VersionOrder = "before" | "equal" | "after" | "concurrent";

/**
 * Compares what two versions have seen; no version is the one that has seen nothing.
 * A partial order: of concurrent ones neither replaces the other without a decision.
 */
export function compareVersions(one: RowVersion | undefined, other: RowVersion | undefined): VersionOrder {
  const more = knowsMore(one, other);
  const less = knowsMore(other, one);
  if (more && less) return "concurrent";
  if (more) return "after";
  return less ? "before" : "equal";
}

function knowsMore(one: RowVersion | undefined, other: RowVersion | undefined): boolean {
  return Object.entries(one?.seen ?? {}).some(([node, stamp]) => stamp > stampOf(other, node));
}

/** The newest write of a node in a version's history; 0 when there is none. */
export function stampOf(version: RowVersion | undefined, node: string): number {
  return version !== undefined && Object.hasOwn(version.seen, node) ? version.seen[node]! : 0;
}

/** The version with the later write: the higher stamp, and of equal stamps the node whose name sorts last. The same answer on every node. */
export function laterVersion(one: RowVersion, other: RowVersion): RowVersion {
  if (one.stamp !== other.stamp) return one.stamp > other.stamp ? one : other;
  return one.node >= other.node ? one : other;
}

/**
 * The version of a decided conflict: it has seen what both have, so that it replaces both everywhere, and shows the write of `shown` (by
 * default the later one). It has no `from`: the decision is new to every node.
 */
export function joinVersions(
  one: RowVersion,
  other: RowVersion,
  shown = laterVersion(one, other),
): RowVersion {
  const nodes = new Set([...Object.keys(one.seen), ...Object.keys(other.seen)]);
  const seen = [...nodes].map((node) => [node, Math.max(stampOf(one, node), stampOf(other, node))] as const);
  return { stamp: shown.stamp, node: shown.node, seen: Object.fromEntries(seen) };
}

/** The version as JSON text, nodes in order: the form of a change event's `version`. */
export function printVersion({ stamp, node, seen, from }: RowVersion): string {
  return JSON.stringify({ stamp, node, seen: printSeen(seen), from });
}

function printSeen(seen: RowVersion["seen"]): RowVersion["seen"] {
  return Object.fromEntries(Object.entries(seen).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Parses text from outside. Throws `TypeError` when it is not a version. */
export function parseVersion(text: string): RowVersion {
  const { stamp, node, seen, from } = parseObject(text);
  if (!isStamp(stamp) || typeof node !== "string" || !isVector(seen) || !isOrigin(from)) {
    throw new TypeError("not a row's version: expected stamp, node, seen and perhaps from");
  }
  return { stamp, node, seen, ...(from == null ? {} : { from }) };
}

function parseObject(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

// Microseconds since 1970 stay below 2^53 until the year 2255.
function isStamp(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isVector(value: unknown): value is Record<string, number> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isStamp)
  );
}

function isOrigin(value: unknown): value is string | null | undefined {
  return value == null || typeof value === "string";
}
