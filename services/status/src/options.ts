import type {
  LaneReport,
  LetterSchedule,
  Logger,
  ReadsReport,
  RelayReport,
  TableSchema,
  Target,
  TargetAnnouncement,
} from "@lockstep/core";
import type { JobDesk } from "@lockstep/jobs";
import type { Queue } from "bullmq";

/** What Redis knows of one source. Rejects with LockstepError `STREAM_UNAVAILABLE` when Redis can't be reached. */
export interface StatusReader {
  /** What the leading relay last said; `undefined` when it has been silent. */
  relay(): Promise<RelayReport | undefined>;
  /** What lanes last said; those that fell silent are left out. */
  lanes(): Promise<readonly LaneReport[]>;
  /** Targets that consumers announced. */
  targets(): Promise<readonly TargetAnnouncement[]>;
  /** Where the reads of the application's processes go. */
  reads(): Promise<readonly ReadsReport[]>;
  /** A schema by fingerprint, for column names; a rejection means "not known". */
  schema?(fingerprint: string): Promise<TableSchema | undefined>;
}

/** One source and what mirrors it. Everything handed in stays the caller's: the server closes none of it. */
export interface StatusSource {
  readonly name: string;
  readonly reader: StatusReader;
  /** Only `nudge` is used: it tells a lane that a person decided something. */
  readonly schedule: Pick<LetterSchedule, "nudge">;
  readonly targets: readonly Target[];
  /** Opens the desk of its jobs, at the first question about them. Default none: the service may not connect to the source. */
  readonly jobs?: () => Promise<JobDesk>;
  /** Raw BullMQ queues to show, read-only, under `/queues`. Default none. */
  readonly queues?: readonly Queue[];
}

/** A token and the name its holder's decisions are recorded under. */
export interface NamedToken {
  readonly name: string;
  readonly token: string;
}

/** What {@link createStatusServer} takes. */
export interface StatusServerOptions {
  readonly sources: readonly StatusSource[];
  /** Address to listen on. Beyond loopback a token is needed. Default `127.0.0.1`. */
  readonly host?: string;
  /** Port to listen on; 0 takes a free one. Default 9464. */
  readonly port?: number;
  /** Whoever sends it may read and decide; recorded as `token` unless `X-Lockstep-User` says who. Default none: everybody who can connect. */
  readonly token?: string;
  /** More tokens, each with a name. Default none. */
  readonly tokens?: readonly NamedToken[];
  /** Columns whose values are never shown: `column`, `table.column` or `namespace.table.column`. Default none. */
  readonly maskColumns?: readonly string[];
  /** A pino logger, or anything like it. Default: says nothing. */
  readonly logger?: Logger;
  readonly limits?: Partial<StatusLimits>;
}

/** Bounds, so that nothing that is down or greedy can hold the service. */
export interface StatusLimits {
  /** A target or Redis that hasn't answered a question after this is shown as unreachable, ms. Default 2000. */
  readonly askTimeoutMs: number;
  /** A decision (replay, discard, pause) that takes longer is answered with 503; it may still take effect, ms. Default 10000. */
  readonly decideTimeoutMs: number;
  /** Questions one target may have open; more are refused at once. Default 32. */
  readonly maxPending: number;
  /** Requests per minute and address; the probes are not counted. Default 6000. */
  readonly requestsPerMinute: number;
  /** Letters that one bulk replay marks at most in each target. Default 1000. */
  readonly replayLimit: number;
  /** Largest request body, bytes. Default 262144. */
  readonly maxBodyBytes: number;
  /** Requests in flight at the end have this long before their connections are cut, ms. Default 5000. */
  readonly drainTimeoutMs: number;
  /** Requests are refused with 503 while the event loop is late by more than this, ms. Default 1000. */
  readonly maxEventLoopDelayMs: number;
}

/** The defaults named in {@link StatusServerOptions}. */
export const defaultAddress = { host: "127.0.0.1", port: 9464 } as const;

/** The defaults named in {@link StatusLimits}. */
export const defaultLimits: StatusLimits = {
  askTimeoutMs: 2000,
  decideTimeoutMs: 10_000,
  maxPending: 32,
  requestsPerMinute: 6000,
  replayLimit: 1000,
  maxBodyBytes: 262_144,
  drainTimeoutMs: 5000,
  maxEventLoopDelayMs: 1000,
};
