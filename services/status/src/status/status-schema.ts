import { type Static, Type } from "typebox";
import { Instant } from "../letters/letter-schema.js";

const text = () => Type.Union([Type.String(), Type.Null()]);
const count = () => Type.Union([Type.Integer(), Type.Null()]);
const instant = () => Type.Union([Instant, Type.Null()]);

/** Something that isn't as it should be, and what to do. */
export const Trouble = Type.Object({
  code: Type.String(),
  about: Type.String({ description: "What it is about: `source shop`, `target reports`, a lane's id" }),
  detail: Type.String(),
  hint: text(),
});
export type Trouble = Static<typeof Trouble>;

/** One error a lane met. Table and key are null when it failed as a whole: the target away, many rows refused. */
const LaneError = Type.Object({
  table: text(),
  key: Type.Union([Type.String(), Type.Null()], { description: "JSON array of the primary key's texts" }),
  code: Type.String(),
  hint: text(),
  at: Instant,
});

/** A lane: one source, one target, one partition. Null: not known at the moment. */
export const LaneView = Type.Object({
  id: Type.String({ description: "`<source>~<target>~<partition>`" }),
  source: Type.String(),
  target: Type.String(),
  partition: Type.Integer(),
  state: Type.String({
    description:
      "starting, running, catching-up, paused (by a person, or a fault that is tried again), stalled (gets nowhere, or nobody works on it) or halted (needs a person)",
  }),
  reason: Type.Union([
    Type.Object({ code: Type.String(), detail: Type.String(), hint: text() }),
    Type.Null(),
  ]),
  pauseRequested: Type.Union([Type.Boolean(), Type.Null()], {
    description: "A person's wish, as kept in the target",
  }),
  owner: text(),
  checkpoint: text(),
  lagMs: Type.Union([Type.Number(), Type.Null()], {
    description:
      "0 when caught up, else the age of the oldest event not applied; null while that is not known: nobody works on the lane, or no relay reports",
  }),
  eventsBehind: count(),
  rowsPerSecond: Type.Union([Type.Number(), Type.Null()]),
  latencyMs: Type.Union([Type.Object({ p50: Type.Number(), p99: Type.Number() }), Type.Null()], {
    description: "Commit to visible, of the last transactions",
  }),
  lastSyncAt: instant(),
  recordsSynced: count(),
  errorCount: count(),
  lastErrors: Type.Array(LaneError, { description: "The last 10, newest first" }),
  letters: Type.Union([Type.Record(Type.String(), Type.Integer()), Type.Null()], {
    description: "Live letters of this lane by state; those that are over are counted by target",
  }),
  conflicts: Type.Union([Type.Record(Type.String(), Type.Integer()), Type.Null()], {
    description: "Conflicts that the lane has decided since it was started, by outcome",
  }),
  seeded: Type.Union([Type.Boolean(), Type.Null()], {
    description: "False until a full sync has copied the rows that are older than the publisher",
  }),
  reportedAt: instant(),
});
export type LaneView = Static<typeof LaneView>;

/** A target database. */
const TargetView = Type.Object({
  name: Type.String(),
  address: Type.String(),
  reachable: Type.Boolean(),
  letters: Type.Union([Type.Record(Type.String(), Type.Integer()), Type.Null()], {
    description: "Dead letters by state, of all sources",
  }),
});

/** The relay of a source. */
export const RelayView = Type.Object({
  state: Type.String({ description: "leading, standing-by, silent, or unknown while Redis is away" }),
  leader: text(),
  partitions: count(),
  publishedPosition: text(),
  publishedEvents: count(),
  outboxEventsWaiting: count(),
  outboxOldestMs: Type.Union([Type.Number(), Type.Null()]),
  heldLogBytes: Type.Union([Type.Number(), Type.Null()], {
    description:
      "bytes of the database's own log that are held back for targets; null where the outbox holds changes",
  }),
  waiting: text(),
  reportedAt: instant(),
});
export type RelayView = Static<typeof RelayView>;

/** Where the application's reads go, as its processes say. Counts are of the processes that run, since they began. */
const ReadsView = Type.Object({
  processes: Type.Integer({ description: "of the application that said something in the last 10 s" }),
  replicas: Type.Array(
    Type.Object({
      name: Type.String(),
      states: Type.Record(Type.String(), Type.Integer(), {
        description: "in, lagging, down, unseeded, unknown: how many processes see it so",
      }),
      reasons: Type.Array(Type.String(), { description: "Why it isn't read from; at most 5" }),
      lagMs: Type.Union([Type.Number(), Type.Null()], {
        description: "How old what it shows may be, at most; null: not known",
      }),
      reads: Type.Integer(),
    }),
  ),
  primary: Type.Object({
    reads: Type.Integer(),
    reasons: Type.Record(Type.String(), Type.Integer(), {
      description: "behind, lagging, down, unseeded, unknown, asked: how many reads for that",
    }),
  }),
});
export type ReadsView = Static<typeof ReadsView>;

/** A source and everything that mirrors it. */
export const SourceView = Type.Object({
  name: Type.String(),
  relay: RelayView,
  targets: Type.Array(TargetView),
  lanes: Type.Array(LaneView),
  reads: Type.Union([ReadsView, Type.Null()], {
    description: "Where the application's reads go; null when no process of it says",
  }),
});
export type SourceView = Static<typeof SourceView>;

/** The whole picture. */
export const StatusView = Type.Object({
  at: Instant,
  state: Type.Unsafe<"ok" | "degraded">({ type: "string", enum: ["ok", "degraded"] }),
  troubles: Type.Array(Trouble, { description: "Why it is degraded; empty when it is ok" }),
  sources: Type.Array(SourceView),
});
export type StatusView = Static<typeof StatusView>;
