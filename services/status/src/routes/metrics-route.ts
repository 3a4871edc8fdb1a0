import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { Type } from "typebox";
import { openFleetMetrics } from "../metrics/fleet-metrics.js";
import { observeJobs } from "../jobs/observe-jobs.js";
import { desksOf } from "../jobs/source-desk.js";
import { observe } from "../status/observe.js";
import { problemResponse, type RouteContext } from "./route-context.js";

/** `GET /metrics` in Prometheus' text form. */
export const metricsRoute =
  ({ fleet }: RouteContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const metrics = openFleetMetrics();
    const schema = {
      summary: "Prometheus metrics of lanes, relays, targets, jobs, schedules and this process",
      tags: ["metrics"],
      operationId: "getMetrics",
      response: {
        200: { description: "Prometheus text", content: { "text/plain": { schema: Type.String() } } },
        ...problemResponse,
      },
    };
    app.get("/metrics", { schema }, async (_, reply) => {
      const [observations, jobs] = await Promise.all([
        Promise.all(fleet.sources.map(observe)),
        Promise.all(desksOf(fleet).map(observeJobs)),
      ]);
      const text = await metrics.render(observations, jobs);
      return reply.type(metrics.contentType).serializer(String).send(text);
    });
  };
