import type { ConflictOutcome } from "@lockstep/core";
import { type Static, Type } from "typebox";
import { Instant, Unreachable } from "../letters/letter-schema.js";

const outcomes = ["source", "target", "merged"] as const satisfies readonly ConflictOutcome[];
const Outcome = Type.Unsafe<ConflictOutcome>({ type: "string", enum: [...outcomes] });
const name = (description: string, maxLength = 200) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, description }));

/** Which conflicts: every field narrows. */
export const conflictFilters = {
  target: name("Name of a target"),
  source: name("Name of a source"),
  entity: name("A table of the target: `namespace.table`, or its name alone", 300),
  outcome: Type.Optional(Outcome),
  since: Type.Optional(Type.String({ format: "date-time", description: "Decided then or later" })),
};

/** A decided conflict as lists show it: identifiers, never row values. */
export const ConflictView = Type.Object({
  id: Type.String({ description: "`<target>~<id>`" }),
  target: Type.String(),
  source: Type.String(),
  partition: Type.Integer(),
  table: Type.String({ description: "`namespace.table` as the target has it" }),
  key: Type.String({
    description: "JSON array of the primary key's texts, in key order; `***` where masked",
  }),
  position: Type.String({ description: "The source's change" }),
  at: Instant,
  policy: Type.String(),
  outcome: Outcome,
});
export type ConflictView = Static<typeof ConflictView>;

const Image = Type.Union(
  [Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()])), Type.Null()],
  {
    description: "Texts by column, as the source's database prints them; null: there was no row",
  },
);

/** A conflict with what both sides had, and what became of it. */
export const ConflictDetailView = Type.Object({
  ...ConflictView.properties,
  images: Type.Object({ source: Image, target: Image, result: Image }),
  masked: Type.Array(Type.String(), { description: "Columns whose values are hidden here" }),
});
export type ConflictDetailView = Static<typeof ConflictDetailView>;

/** A page of conflicts. */
export const ConflictPage = Type.Object({
  conflicts: Type.Array(ConflictView, { description: "Newest first" }),
  next: Type.Union([Type.String(), Type.Null()], { description: "Cursor of the next page; null at the end" }),
  unreachable: Type.Array(Unreachable, { description: "Targets whose conflicts are missing from this page" }),
});
