import type { OutOfRotation, Replica } from "./replica.js";

/** Why a read went to the primary. `behind`: no replica had what the request wrote in time. */
export type PrimaryReason = OutOfRotation | "behind" | "asked";

/** Where reads go. */
export interface ReadStatus {
  readonly replicas: Readonly<
    Record<
      string,
      {
        readonly state: "in" | OutOfRotation;
        /** What keeps it out, or the primary from telling how fresh it is, as whoever was asked said it. */
        readonly reason?: string;
        /** How old what it shows may be, ms; absent until it was found once. */
        readonly lagMs?: number;
        readonly reads: number;
      }
    >
  >;
  readonly primary: {
    readonly reads: number;
    readonly reasons: Readonly<Partial<Record<PrimaryReason, number>>>;
  };
}

/** What is known of replicas, and for what reasons reads went to the primary. */
export function statusOf(
  replicas: readonly Replica[],
  maxLagMs: number,
  reasons: ReadonlyMap<PrimaryReason, number>,
): ReadStatus {
  return {
    replicas: Object.fromEntries(replicas.map((replica) => [replica.name, standingOf(replica, maxLagMs)])),
    primary: {
      reads: [...reasons.values()].reduce((sum, n) => sum + n, 0),
      reasons: Object.fromEntries(reasons),
    },
  };
}

function standingOf(replica: Replica, maxLagMs: number): ReadStatus["replicas"][string] {
  const { lagMs, reads, why } = replica;
  const state = replica.standing(maxLagMs);
  const reason = state === "in" ? undefined : why;
  return { state, ...(reason !== undefined && { reason }), ...(lagMs !== undefined && { lagMs }), reads };
}
