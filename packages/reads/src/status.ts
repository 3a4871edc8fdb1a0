import type { OutOfRotation } from "./replica.js";

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
