import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { decodeCursor, encodeCursor } from "../fleet/cursor.js";
import { mergedPage } from "../fleet/merged-page.js";
import { type Failure, settle } from "../fleet/settle.js";
import { digestOf, filterFor, LetterQuery, splitStates, targetsOf } from "../letters/letter-query.js";
import { LetterView, Unreachable } from "../letters/letter-schema.js";
import { letterView } from "../letters/letter-view.js";
import { LetterGroup, mergeGroups } from "../letters/merged-groups.js";
import { letterList } from "../letters/letter-list.js";
import { problemOf } from "../problem/problem.js";
import { describeError } from "../problem/problem-answers.js";
import { isSurprising } from "../status/status-view.js";
import { problemResponse, type RouteContext } from "./route-context.js";

const limitOf = (most: number, usual: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: most, default: usual }));
const usualPage = 50;
const usualGroups = 100;

const PageQuery = Type.Object(
  {
    ...LetterQuery.properties,
    limit: limitOf(200, usualPage),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 4000, description: "`next` of the page before" }),
    ),
  },
  { additionalProperties: false },
);

const Page = Type.Object({
  letters: Type.Array(LetterView, { description: "Newest failure first" }),
  next: Type.Union([Type.String(), Type.Null()], { description: "Cursor of the next page; null at the end" }),
  unreachable: Type.Array(Unreachable, { description: "Targets whose letters are missing from this page" }),
});

/** `GET /dead-letters` and `/dead-letters/groups`: lists without row values. */
export const deadLettersRoute =
  ({ fleet, ...shade }: RouteContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { mask, schemas } = shade;
    app.addHook("preValidation", async (request) => splitStates(request.query));
    const listSchema = {
      summary: "Dead letters, newest failure first",
      description:
        "The pages of one walk hold every letter once, also while new ones arrive. Row values are only in the single letter.",
      tags: ["dead letters"],
      operationId: "listDeadLetters",
      querystring: PageQuery,
      response: { 200: Page, ...problemResponse },
    };
    app.get("/dead-letters", { schema: listSchema }, async (request) => {
      const { limit = usualPage, cursor, ...query } = request.query;
      const digest = digestOf(query);
      const from = cursor === undefined ? { cursors: {}, done: [] } : decodeCursor(cursor, digest);
      const page = await mergedPage(targetsOf(fleet, query), letterList(query, shade), limit, from);
      const letters = page.found.map(async ({ target, item: letter }) => {
        const schema = mask.mayHide(letter.table)
          ? await schemas.find(letter.source, letter.schema)
          : undefined;
        return letterView(letter, { target: target.name, mask, schema });
      });
      return {
        letters: await Promise.all(letters),
        next: page.next === undefined ? null : encodeCursor(page.next, digest),
        unreachable: unreachableOf(page.failures, request),
      };
    });

    const groupSchema = {
      summary: "Dead letters counted by entity and error, the largest group first",
      tags: ["dead letters"],
      operationId: "groupDeadLetters",
      querystring: Type.Object(
        { ...LetterQuery.properties, limit: limitOf(200, usualGroups) },
        { additionalProperties: false },
      ),
      response: {
        200: Type.Object({ groups: Type.Array(LetterGroup), unreachable: Type.Array(Unreachable) }),
        ...problemResponse,
      },
    };
    app.get("/dead-letters/groups", { schema: groupSchema }, async (request) => {
      const { limit = usualGroups, ...query } = request.query;
      const { answers, failures } = await settle(
        targetsOf(fleet, query),
        (target) => target,
        async (target) => {
          const filter = await filterFor(target, query, shade);
          // Each target's own limit is the largest: a group that is small in every target may be large in all.
          const groups =
            filter === undefined
              ? []
              : await target.door.ask(() => target.target.letters.groups(filter, mostGroups));
          return { target: target.name, groups };
        },
      );
      return { groups: mergeGroups(answers, limit), unreachable: unreachableOf(failures, request) };
    });
  };

const mostGroups = 1000;

/** Failures as the caller sees them; what is more than something being away goes to the log. */
export function unreachableOf(failures: readonly Failure[], { log, id }: FastifyRequest): Unreachable[] {
  return failures.map(({ target, error }) => {
    if (isSurprising(error))
      log.error({ target: target.name, ...describeError(error) }, "target could not be asked");
    const { code, detail, hint } = problemOf(error, id);
    return { target: target.name, code, detail, hint };
  });
}
