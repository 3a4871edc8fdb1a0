import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { type ConflictEntry, type ConflictFilter, LockstepError } from "@lockstep/core";
import { type Static, Type } from "typebox";
import { ConflictDetailView, conflictFilters, ConflictPage } from "../conflicts/conflict-schema.js";
import { conflictDetailView, conflictView } from "../conflicts/conflict-view.js";
import { parseConflictId } from "../fleet/addresses.js";
import { decodeCursor, encodeCursor } from "../fleet/cursor.js";
import { type MergedList, mergedPage } from "../fleet/merged-page.js";
import { digestOf, targetsOf } from "../letters/letter-query.js";
import { unreachableOf } from "./dead-letters-route.js";
import { problemResponse, type RouteContext } from "./route-context.js";

const usualPage = 50;

const Query = Type.Object(
  {
    ...conflictFilters,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: usualPage })),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 4000, description: "`next` of the page before" }),
    ),
  },
  { additionalProperties: false },
);

/** `GET /conflicts` and `/conflicts/:id`. */
export const conflictsRoute =
  ({ fleet, ...shade }: RouteContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const listSchema = {
      summary: "Conflicts that were decided, newest first",
      description:
        "Rows that a target's own writers had changed, too. Row values are only in the single conflict.",
      tags: ["conflicts"],
      operationId: "listConflicts",
      querystring: Query,
      response: { 200: ConflictPage, ...problemResponse },
    };
    app.get("/conflicts", { schema: listSchema }, async (request) => {
      const { limit = usualPage, cursor, ...query } = request.query;
      const digest = digestOf({ of: "conflicts", ...query });
      const from = cursor === undefined ? { cursors: {}, done: [] } : decodeCursor(cursor, digest);
      const page = await mergedPage(targetsOf(fleet, query), conflictList(query), limit, from);
      return {
        conflicts: page.found.map(({ target, item }) => conflictView(item, target.name, shade)),
        next: page.next === undefined ? null : encodeCursor(page.next, digest),
        unreachable: unreachableOf(page.failures, request),
      };
    });

    const detailSchema = {
      summary: "One conflict with what both sides had, and what became of it",
      tags: ["conflicts"],
      operationId: "getConflict",
      params: Type.Object({
        id: Type.String({ minLength: 1, maxLength: 300, description: "`<target>~<id>`" }),
      }),
      response: { 200: ConflictDetailView, ...problemResponse },
    };
    app.get("/conflicts/:id", { schema: detailSchema }, async (request) => {
      const { target: name, id } = parseConflictId(request.params.id);
      const target = fleet.targets.get(name);
      const conflict = await target?.door.ask(async () => target.target.conflicts?.get(id));
      if (conflict === undefined) throw new LockstepError("CONFLICT_UNKNOWN", "there is no such conflict");
      return conflictDetailView(conflict, name, shade);
    });
  };

function conflictList(query: Static<typeof Query>): MergedList<ConflictEntry> {
  const filter = filterOf(query);
  return {
    at: ({ at }) => at,
    async open({ target, door }) {
      const { conflicts: desk } = target;
      if (desk === undefined) return undefined;
      return async (page) => {
        const { conflicts, next } = await door.ask(() => desk.list(filter, page));
        return { items: conflicts, ...(next !== undefined && { next }) };
      };
    },
  };
}

function filterOf({ source, entity, outcome, since }: Static<typeof Query>): ConflictFilter {
  return {
    ...(source !== undefined && { source }),
    ...(entity !== undefined && { table: entity }),
    ...(outcome !== undefined && { outcome }),
    ...(since !== undefined && { since: Date.parse(since) }),
  };
}
