import type { DataSource, EntityManager } from "typeorm";
import { checkOptions, readDefaults, type ReadOptions } from "./options.js";
import { Replica } from "./replica.js";
import { Router } from "./router.js";
import type { ReadStatus } from "./status.js";

/** Reads spread over replicas. Disposing it ends the looking; the DataSources stay open. */
export interface ReplicaReads extends AsyncDisposable {
  /**
   * Runs `work`, which only reads, on a replica that is fresh enough and holds what this request wrote and has seen; else on the primary. On a replica that turns out to be
   * away `work` runs once more elsewhere. `primary`: on the primary, for what must be current.
   * @throws LockstepError REPLICA_READ_ONLY when `work` writes or locks; READ_IN_TRANSACTION inside of `dataSource.transaction(…)`; READ_TOKEN_INVALID when the request's token says nothing about any replica; what `work` throws.
   */
  read<T>(work: (manager: EntityManager) => Promise<T>, options?: { readonly primary?: boolean }): Promise<T>;
  /**
   * Runs a request: its reads see its own writes, and never go back. Inside of another one it is part of that. `token`: what another request or service has written and seen.
   * @throws LockstepError READ_TOKEN_INVALID.
   */
  request<T>(work: () => Promise<T>, options?: { readonly token?: string | undefined }): Promise<T>;
  /**
   * What this request has written and seen, for {@link request} elsewhere, by a header; `undefined` when there is nothing.
   * @throws LockstepError CONFIG_INVALID outside of a request; READ_IN_TRANSACTION; what the primary throws when it can't tell.
   */
  token(): Promise<string | undefined>;
  /** Says that this request has written something that TypeORM's statements don't show: a function that writes, another client. */
  wrote(): void;
  status(): ReadStatus;
}

/**
 * Spreads reads over replicas. Writes, transactions and locking reads stay on the primary: they don't come this way. An entity that came from a replica and is saved is
 * kept from writing the replica's older columns back.
 * @throws LockstepError CONFIG_INVALID.
 */
export function replicaReads(primary: DataSource, options: ReadOptions): ReplicaReads {
  const { maxLagMs, waitMs } = { ...readDefaults, ...options };
  checkOptions(primary, options, { maxLagMs, waitMs });
  const replicas = Object.entries(options.replicas).map(
    ([name, { dataSource, freshness }]) => new Replica(name, dataSource, freshness),
  );
  return new Router(primary, replicas, { maxLagMs, waitMs, report: options.report });
}
