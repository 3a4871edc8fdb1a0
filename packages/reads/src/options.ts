import { LockstepError } from "@lockstep/core";
import type { DataSource } from "typeorm";
import type { ReadStatus } from "./status.js";
import type { Freshness } from "./freshness/freshness.js";

/** A database that may be read from in place of the primary. */
export interface ReplicaChoice {
  /** With the same entities. One that isn't initialized yet (its server is down) is, as soon as that can be; not again after a `destroy()`. */
  readonly dataSource: DataSource;
  /** What tells how fresh it is: `laneFreshness`, `postgresStandby`, `mysqlReplica`, or your own. */
  readonly freshness: Freshness;
}

/** Settings of `replicaReads`. */
export interface ReadOptions {
  /** By name, as status shows them. At least one. */
  readonly replicas: Readonly<Record<string, ReplicaChoice>>;
  /** A replica that may be further behind is not read from, ms. Default 1000. Below some 50 ms the looking itself costs the primary. */
  readonly maxLagMs?: number;
  /** How long a read waits for a replica that hasn't yet what the request wrote, before it goes to the primary, ms. Default 50. */
  readonly waitMs?: number;
  /** Told every three seconds where reads go: `lockstep.reportReads` shows it in the status of the source. What it throws is nobody's. Default: nobody is told. */
  readonly report?: (status: ReadStatus) => Promise<void>;
}

/** What holds where {@link ReadOptions} says nothing. */
export const readDefaults = { maxLagMs: 1_000, waitMs: 50 } as const;

/** @throws LockstepError CONFIG_INVALID naming everything that is wrong. */
export function checkOptions(
  primary: DataSource,
  { replicas = {}, report }: ReadOptions,
  limits: { readonly maxLagMs: number; readonly waitMs: number },
): void {
  const wrong = Object.entries(limits).flatMap(([name, value]) =>
    Number.isFinite(value) && value >= 0 ? [] : [`${name} must be a number of milliseconds`],
  );
  if (Object.keys(replicas).length === 0) wrong.push("replicas must name at least one");
  if (!primary.isInitialized) wrong.push("the primary's DataSource must be initialized first");
  if (report !== undefined && typeof report !== "function") wrong.push("report must be a function");
  for (const [name, choice] of Object.entries(replicas) as [string, Partial<ReplicaChoice> | undefined][]) {
    if (choice?.dataSource === undefined) wrong.push(`replicas.${name} has no dataSource`);
    if (choice?.dataSource === primary) wrong.push(`replicas.${name} is the primary itself`);
    if (typeof choice?.freshness?.has !== "function")
      wrong.push(`replicas.${name}: nothing can tell how fresh it is; give it a freshness`);
  }
  if (wrong.length > 0) throw new LockstepError("CONFIG_INVALID", wrong.join("; "));
}
