import type { LetterState } from "@lockstep/core";
import { type Static, Type } from "typebox";

/** Every state a letter can have, live ones first. */
const letterStates = [
  "retrying",
  "due",
  "waiting",
  "dead",
  "applied",
  "superseded",
  "discarded",
] as const satisfies readonly LetterState[];

export const LetterStateSchema = Type.Unsafe<LetterState>({ type: "string", enum: [...letterStates] });

/** An instant: ISO 8601 in UTC, milliseconds. */
export const Instant = Type.String({ format: "date-time" });
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** A dead letter as lists show it: identifiers, never row values. */
export const LetterView = Type.Object({
  id: Type.String({ description: "`<target>~<id>`" }),
  target: Type.String(),
  source: Type.String(),
  partition: Type.Integer(),
  lane: Type.String({ description: "`<source>~<target>~<partition>`" }),
  table: Type.String({ description: "`namespace.table` at the source" }),
  key: Type.String({
    description: "JSON array of the primary key's texts, in key order; `***` where masked",
  }),
  op: Type.String(),
  state: LetterStateSchema,
  code: Type.String(),
  about: Nullable(Type.String({ description: "Constraint or column the target named" })),
  hint: Nullable(Type.String()),
  attempts: Type.Integer(),
  maxAttempts: Type.Integer(),
  position: Type.String(),
  firstFailedAt: Instant,
  lastFailedAt: Instant,
  dueAt: Nullable(Instant),
  waitingFor: Nullable(Type.String({ description: "Id of the letter it waits for" })),
  resolvedAt: Nullable(Instant),
  resolvedBy: Nullable(Type.String()),
  reason: Nullable(Type.String()),
});
export type LetterView = Static<typeof LetterView>;

const Cell = Type.Union([Type.String(), Type.Null()]);

/** A dead letter with its row. The only answer of the service that holds row values. */
export const LetterDetailView = Type.Object({
  ...LetterView.properties,
  image: Type.Union([Type.Record(Type.String(), Cell), Type.Array(Cell), Type.Null()], {
    description:
      "Texts by column, as the source's database prints them; an array in the table's order while its schema isn't known; null for a delete",
  }),
  unknown: Type.Array(Type.String(), {
    description: "Columns (or cell numbers) that the change didn't carry",
  }),
  masked: Type.Array(Type.String(), { description: "Columns (or `*`) whose values are hidden here" }),
  before: Nullable(Type.String({ description: "The key before, when the change moved it" })),
  rawError: Nullable(Type.String({ description: "The driver's own words; null when a mask hides them" })),
  history: Type.Array(Type.Object({ at: Instant, code: Type.String(), about: Nullable(Type.String()) }), {
    description: "Attempts, newest last",
  }),
});
export type LetterDetailView = Static<typeof LetterDetailView>;

/** A part of the answer that is missing because a target can't be reached. */
export const Unreachable = Type.Object({
  target: Type.String(),
  code: Type.String(),
  detail: Type.String(),
  hint: Type.String(),
});
export type Unreachable = Static<typeof Unreachable>;
