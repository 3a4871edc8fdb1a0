import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { deciderOf } from "../access/decider.js";
import { nudgeLanes } from "../decisions/decide.js";
import { problemResponse, type RouteContext } from "./route-context.js";

const params = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 500, description: "`<source>~<target>~<partition>`" }),
});
const LaneDecided = Type.Object({
  id: Type.String(),
  pauseRequested: Type.Boolean(),
  by: Type.String(),
  nudged: Type.Boolean({
    description: "False when the lane couldn't be told: it finds out by itself a little later",
  }),
});

/** `POST /lanes/:id/pause` and `…/resume`: the wish is kept in the target, the lane that owns it obeys. */
export const lanesRoute =
  ({ fleet, limits: { decideTimeoutMs } }: RouteContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const decision = (verb: "pause" | "resume", paused: boolean) => {
      const schema = {
        summary: paused ? "Stop applying; changes wait in the source" : "Go on applying",
        tags: ["lanes"],
        operationId: `${verb}Lane`,
        params,
        body: Type.Optional(Type.Union([Type.Object({}, { additionalProperties: false }), Type.Null()])),
        response: { 202: LaneDecided, ...problemResponse },
      };
      app.post(`/lanes/:id/${verb}`, { schema }, async (request, reply) => {
        const lane = fleet.lane(request.params.id);
        const by = deciderOf(request);
        await lane.to.door.ask(() => lane.to.target.setPaused(lane, paused), decideTimeoutMs);
        request.log.info({ lane: request.params.id, paused, by }, "lane decided");
        const nudged = await nudgeLanes(lane.to, [lane], request.log);
        return reply.code(202).send({ id: request.params.id, pauseRequested: paused, by, nudged });
      });
    };
    decision("pause", true);
    decision("resume", false);
  };
