import { createHash } from "node:crypto";
import { type LetterFilter, LockstepError } from "@lockstep/core";
import { type Static, Type } from "typebox";
import type { Fleet, FleetTarget } from "../fleet/fleet.js";
import { LetterStateSchema } from "./letter-schema.js";
import { type Shade, shownKeys } from "./shade.js";

/** Which letters: every field narrows. */
export const LetterQuery = Type.Object(
  {
    target: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Name of a target" })),
    source: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Name of a source" })),
    entity: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 300,
        description: "A table: `namespace.table`, or its name alone",
      }),
    ),
    state: Type.Optional(
      Type.Array(LetterStateSchema, {
        minItems: 1,
        maxItems: 7,
        description: "Any of these: separated by commas, or repeated",
      }),
    ),
    code: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "An error code" })),
    text: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: "Found in table, code or constraint, and in keys that are shown whole",
      }),
    ),
  },
  { additionalProperties: false },
);
export type LetterQuery = Static<typeof LetterQuery>;

/** True when nothing narrows. */
export function isEmptyQuery(query: LetterQuery): boolean {
  return Object.values(query).every((value) => value === undefined);
}

/** The targets a query is about. @throws LockstepError REQUEST_INVALID for a name that isn't configured. */
export function targetsOf(
  fleet: Fleet,
  { target, source }: Pick<LetterQuery, "target" | "source">,
): readonly FleetTarget[] {
  if (target !== undefined && !fleet.targets.has(target))
    throw unknownName("target", [...fleet.targets.keys()]);
  const sourceNames = fleet.sources.map((s) => s.name);
  if (source !== undefined && !sourceNames.includes(source)) throw unknownName("source", sourceNames);
  return [...fleet.targets.values()].filter(
    (t) =>
      (target === undefined || t.name === target) &&
      (source === undefined || t.sources.some((s) => s.name === source)),
  );
}

/** The query as one target's desk takes it; `undefined` when no letter of it can match. */
export async function filterFor(
  target: FleetTarget,
  query: LetterQuery,
  shade: Shade,
): Promise<LetterFilter | undefined> {
  const tables = query.entity === undefined ? undefined : await tablesOf(target, query.entity);
  if (tables?.length === 0) return undefined;
  if (tables !== undefined && tables.length > 1) {
    throw new LockstepError(
      "REQUEST_INVALID",
      `the entity's name is in several namespaces: ${tables.join(", ")}`,
    );
  }
  const table = tables?.[0];
  const keysOf = query.text === undefined ? undefined : await shownKeys(target, shade);
  return {
    ...(query.source === undefined ? {} : { source: query.source }),
    ...(table === undefined ? {} : { table }),
    ...(query.state === undefined ? {} : { states: query.state }),
    ...(query.code === undefined ? {} : { code: query.code }),
    ...(query.text === undefined ? {} : { text: query.text }),
    ...(keysOf && { keysOf }),
  };
}

const mostGroups = 1000;

// A bare table name is looked up among the tables that have letters: nothing else can match.
async function tablesOf({ target, door }: FleetTarget, entity: string): Promise<string[]> {
  if (entity.includes(".")) return [entity];
  const groups = await door.ask(() => target.letters.groups({ text: entity }, mostGroups));
  const named = groups.map((g) => g.table).filter((id) => id.slice(id.indexOf(".") + 1) === entity);
  return [...new Set(named)];
}

/** Identifies a query, so that a cursor isn't used with another one. */
export function digestOf(query: object): string {
  const entries = Object.entries(query as Readonly<Record<string, unknown>>)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(entries)).digest("base64url").slice(0, 12);
}

function unknownName(what: string, known: readonly string[]): LockstepError {
  return new LockstepError(
    "REQUEST_INVALID",
    `there is no ${what} of that name; known: ${known.join(", ") || "none"}`,
  );
}

/** Lets a query say `state=dead,waiting` as well as `state=dead&state=waiting`. Runs before validation. */
export function splitStates(query: unknown): void {
  if (typeof query !== "object" || query === null || !("state" in query)) return;
  if (typeof query.state === "string") query.state = query.state.split(",");
}
