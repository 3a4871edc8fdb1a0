import { begunStates, type JobState } from "@lockstep/core";
import { type Static, Type } from "typebox";
import { Instant } from "../letters/letter-schema.js";

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

export const JobStateSchema = Type.Unsafe<JobState>({ type: "string", enum: [...begunStates, "missed"] });

/** A job as lists show it. */
export const JobView = Type.Object({
  id: Type.String({ description: "`<source>~<id>`" }),
  source: Type.String(),
  kind: Type.String(),
  state: JobStateSchema,
  code: Nullable(Type.String({ description: "Why it failed, was missed, or waits for its window" })),
  hint: Nullable(Type.String()),
  by: Type.String({ description: "Who asked for it: `command`, `schedule`, or a person" }),
  schedule: Nullable(Type.String()),
  dueAt: Nullable(Instant),
  startedAt: Instant,
  movedAt: Instant,
  finishedAt: Nullable(Instant),
  rows: Type.Integer({ description: "Copied, or compared" }),
  expectedRows: Nullable(Type.Integer({ description: "By the source's statistics" })),
  removedRows: Nullable(Type.Integer()),
  differentRows: Nullable(Type.Integer()),
  table: Nullable(Type.String({ description: "The one under way" })),
  rowsPerSecond: Nullable(Type.Integer({ description: "Null while no process says that it works on it" })),
  secondsLeft: Nullable(Type.Integer()),
  waitingFor: Nullable(Type.String()),
  owner: Nullable(Type.String({ description: "The process that works on it" })),
});
export type JobView = Static<typeof JobView>;

/** A job with what was asked for, and what it found. */
export const JobDetail = Type.Object({
  ...JobView.properties,
  options: Type.Unsafe<unknown>({ description: "As they are kept" }),
  reports: Type.Unsafe<unknown[]>({
    type: "array",
    description:
      "Of verify and repair: what was found of each target. At most 100 rows are named, without values",
  }),
});
export type JobDetail = Static<typeof JobDetail>;

/** An answer to somebody who asked for work. */
export const CalledJob = Type.Object({
  ...JobView.properties,
  called: Type.Boolean({
    description: "False when no consumer could be told: one finds the job by itself, some seconds later",
  }),
});

/** A schedule. */
export const ScheduleView = Type.Object({
  name: Type.String(),
  source: Type.String(),
  kind: Type.String(),
  options: Type.Unsafe<unknown>({}),
  cron: Type.String(),
  timeZone: Type.String(),
  window: Nullable(Type.Object({ from: Type.String(), to: Type.String(), open: Type.Boolean() })),
  nextAt: Nullable(Instant),
  pausedBy: Nullable(Type.String()),
  missed: Type.Integer({ description: "Runs that were due and didn't happen, since the schedule is known" }),
  last: Nullable(
    Type.Object({
      id: Type.String(),
      state: JobStateSchema,
      code: Nullable(Type.String()),
      startedAt: Instant,
      finishedAt: Nullable(Instant),
      differentRows: Nullable(Type.Integer()),
    }),
  ),
});
export type ScheduleView = Static<typeof ScheduleView>;

/** Sources whose jobs are missing from an answer. */
export const UnreachableSource = Type.Object({
  source: Type.String(),
  code: Type.String(),
  detail: Type.String(),
  hint: Type.String(),
});
