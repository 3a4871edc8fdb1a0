import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { observe, type SourceObservation } from "../status/observe.js";
import { problemResponse, type RouteContext } from "./route-context.js";

const Reach = Type.Object({ reachable: Type.Integer(), total: Type.Integer() });
const Ready = Type.Object({
  status: Type.Unsafe<"ok" | "degraded" | "unavailable">({
    type: "string",
    enum: ["ok", "degraded", "unavailable"],
  }),
  redis: Reach,
  targets: Reach,
});

// An orchestrator asks these without a token, and under load more than ever: neither may be refused.
const config = { open: true, pressureHandler: () => undefined };

/** `GET /livez` and `GET /readyz`, open to everybody: they name nothing, they only count. */
export const probesRoute =
  ({ fleet }: RouteContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const liveSchema = {
      summary: "200 while the process answers at all",
      tags: ["probes"],
      operationId: "getLive",
      response: { 200: Type.Object({ status: Type.String() }), ...problemResponse },
    };
    app.get("/livez", { schema: liveSchema, config }, async () => ({ status: "ok" }));

    const readySchema = {
      summary: "Whether the service can serve",
      description:
        "`ok` (200): every Redis and every target answers. `degraded` (200): some don't; what does answer is served, and taking the service away would hide which. `unavailable` (503): nothing answers.",
      tags: ["probes"],
      operationId: "getReady",
      response: { 200: Ready, 503: Ready, ...problemResponse },
    };
    app.get("/readyz", { schema: readySchema, config }, async (_, reply) => {
      const observations = await Promise.all(fleet.sources.map(observe));
      const ready = readiness(observations);
      return reply.code(ready.status === "unavailable" ? 503 : 200).send(ready);
    });
  };

/** Counts what answers. Pure. */
export function readiness(observations: readonly Pick<SourceObservation, "redis" | "targets">[]) {
  const redis = reachOf(observations.map((o) => o.redis.ok));
  const byName = new Map(
    observations.flatMap((o) => o.targets.map((t) => [t.target.name, t.answer.ok] as const)),
  );
  const targets = reachOf([...byName.values()]);
  const total = redis.total + targets.total;
  const reachable = redis.reachable + targets.reachable;
  const status: "ok" | "degraded" | "unavailable" =
    reachable === total ? "ok" : reachable === 0 ? "unavailable" : "degraded";
  return { status, redis, targets };
}

function reachOf(answers: readonly boolean[]) {
  return { reachable: answers.filter(Boolean).length, total: answers.length };
}
