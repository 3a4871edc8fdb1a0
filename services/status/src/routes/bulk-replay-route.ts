import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { type LetterFilter, LockstepError } from "@lockstep/core";
import { type Static, Type } from "typebox";
import { deciderOf } from "../access/decider.js";
import { findTarget, nudgeLanes, replayable, replayLetters } from "../decisions/decide.js";
import type { Fleet, FleetTarget } from "../fleet/fleet.js";
import { settle } from "../fleet/settle.js";
import { filterFor, isEmptyQuery, LetterQuery, targetsOf } from "../letters/letter-query.js";
import { Unreachable } from "../letters/letter-schema.js";
import type { Shade } from "../letters/shade.js";
import { unreachableOf } from "./dead-letters-route.js";
import { problemResponse, type RouteContext } from "./route-context.js";

const ReplayOrder = Type.Object(
  {
    filter: Type.Optional(LetterQuery),
    ids: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 300 }), { maxItems: 1000 })),
    all: Type.Optional(Type.Boolean({ description: "Needed to replay everything" })),
  },
  { additionalProperties: false },
);
type ReplayOrder = Static<typeof ReplayOrder>;

const Replayed = Type.Object({
  replayed: Type.Integer(),
  more: Type.Boolean({ description: "True when a target had more than one call replays: call again" }),
  targets: Type.Record(Type.String(), Type.Integer(), { description: "Letters replayed by target" }),
  by: Type.String(),
  nudged: Type.Boolean(),
  unreachable: Type.Array(Unreachable),
});

interface Plan {
  readonly target: FleetTarget;
  filter(): Promise<LetterFilter | undefined>;
}

/** `POST /dead-letters/replay`: for a filter, for ids, or for all when that is said. */
export const bulkReplayRoute =
  ({ fleet, limits: { replayLimit, decideTimeoutMs }, ...shade }: RouteContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const schema = {
      summary: "Try many letters again now",
      description: `Give exactly one of \`filter\`, \`ids\` and \`all: true\`. An empty filter is refused. At most ${replayLimit} letters a target and call.`,
      tags: ["dead letters"],
      operationId: "replayDeadLetters",
      body: ReplayOrder,
      response: { 202: Replayed, ...problemResponse },
    };
    app.post("/dead-letters/replay", { schema }, async (request, reply) => {
      const by = deciderOf(request);
      const { answers, failures } = await settle(
        plansOf(fleet, request.body, shade),
        (plan) => plan.target,
        async ({ target, filter }) => {
          const wanted = await filter();
          const ids =
            wanted === undefined ? [] : await replayLetters(target, wanted, by, replayLimit, decideTimeoutMs);
          const lanes =
            ids.length === 0 ? [] : await target.door.share("checkpoints", () => target.target.checkpoints());
          const nudged = await nudgeLanes(target, lanes, request.log);
          return { name: target.name, count: ids.length, nudged };
        },
      );
      const replayed = answers.reduce((sum, { count }) => sum + count, 0);
      request.log.info({ replayed, by, targets: answers.length }, "letters replayed");
      return reply.code(202).send({
        replayed,
        more: answers.some(({ count }) => count >= replayLimit),
        targets: Object.fromEntries(answers.map(({ name, count }) => [name, count])),
        by,
        nudged: answers.every(({ nudged }) => nudged),
        unreachable: unreachableOf(failures, request),
      });
    });
  };

// A slip of the pen must not replay everything: nothing said means FILTER_EMPTY, two things said contradict each other.
function plansOf(fleet: Fleet, { filter, ids, all }: ReplayOrder, shade: Shade): Plan[] {
  const narrowed = filter !== undefined && !isEmptyQuery(filter);
  const said = [narrowed, (ids?.length ?? 0) > 0, all === true].filter(Boolean).length;
  if (said === 0) throw new LockstepError("FILTER_EMPTY", "nothing says which letters to replay");
  if (said > 1)
    throw new LockstepError("REQUEST_INVALID", "body must hold exactly one of filter, ids and all: true");
  if (ids !== undefined && ids.length > 0) return idPlans(fleet, ids);
  const query = filter ?? {};
  const over = query.state?.filter((state) => !replayable.some((r) => r === state)) ?? [];
  if (over.length > 0) {
    throw new LockstepError(
      "REQUEST_INVALID",
      `body.filter.state must be among ${replayable.join(", ")}; not: ${over.join(", ")}`,
    );
  }
  return targetsOf(fleet, query).map((target) => ({ target, filter: () => filterFor(target, query, shade) }));
}

function idPlans(fleet: Fleet, letterIds: readonly string[]): Plan[] {
  const byTarget = new Map<FleetTarget, string[]>();
  for (const letterId of new Set(letterIds)) {
    const { target, id } = findTarget(fleet, letterId);
    byTarget.set(target, [...(byTarget.get(target) ?? []), id]);
  }
  return [...byTarget].map(([target, ids]) => ({ target, filter: () => Promise.resolve({ ids }) }));
}
