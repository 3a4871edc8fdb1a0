/** Bounds of the relay. Whatever doesn't fit waits in the source database. */
export interface RelayLimits {
  /** Events of one entry, unless a single transaction's part is smaller. Default 500. */
  readonly maxEntryEvents: number;
  /** Bytes of one entry's rows, about; a single larger event is an entry of its own. Default 256 KiB. */
  readonly maxEntryBytes: number;
  /** Events read from the source at once. Default 1000. */
  readonly pageEvents: number;
  /** Events that the streams of all partitions hold together; an entry without events counts as one. Default 50 000. */
  readonly maxStreamEvents: number;
  /** Bytes that they hold together, about. Default 64 MiB. */
  readonly maxStreamBytes: number;
  /** Events that one target's catch-up stream holds. Default 10 000. */
  readonly maxCatchUpEvents: number;
  /** Bytes that it holds, about. Default 16 MiB. */
  readonly maxCatchUpBytes: number;
  /** How often a relay that doesn't lead tries to, ms. Default 1000. */
  readonly standbyMs: number;
  /** The relay looks for changes after this time even when nothing woke it, ms. Default 1000. */
  readonly idleMs: number;
  /** While transactions come faster than one in two ms, or more than five rows in one, changes are looked for at most this often, ms. Default 50. */
  readonly restMs: number;
  /** How often acknowledgements go to the source, outbox and streams are trimmed and a report is made, ms. Default 1000. */
  readonly settleMs: number;
  /** How often it is looked whether the capture is still whole at the source, ms; less often where looking takes long. Default 10 000. */
  readonly captureCheckMs: number;
  /** How long disposing waits for what is under way, ms. Default 5000. */
  readonly drainTimeoutMs: number;
}

/** The defaults named in {@link RelayLimits}. */
export const defaultRelayLimits: RelayLimits = {
  maxEntryEvents: 500,
  maxEntryBytes: 256 * 1024,
  pageEvents: 1_000,
  maxStreamEvents: 50_000,
  maxStreamBytes: 64 * 1024 * 1024,
  maxCatchUpEvents: 10_000,
  maxCatchUpBytes: 16 * 1024 * 1024,
  standbyMs: 1_000,
  idleMs: 1_000,
  restMs: 50,
  settleMs: 1_000,
  captureCheckMs: 10_000,
  drainTimeoutMs: 5_000,
};
