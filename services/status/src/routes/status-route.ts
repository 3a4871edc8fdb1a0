import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { observe } from "../status/observe.js";
import { StatusView } from "../status/status-schema.js";
import { statusView } from "../status/status-view.js";
import { problemResponse, type RouteContext } from "./route-context.js";

/** `GET /status`: sources, relays, lanes, targets. Always 200: what is down is part of the picture. */
export const statusRoute =
  ({ fleet, mask, schemas }: RouteContext): FastifyPluginAsyncTypebox =>
  async (app) => {
    const schema = {
      summary: "Sources, relays, lanes and targets at this moment",
      description:
        "Always 200: what can't be reached is part of the answer, with a code, after at most the ask time-out.",
      tags: ["status"],
      operationId: "getStatus",
      response: { 200: StatusView, ...problemResponse },
    };
    app.get("/status", { schema }, async () => {
      const observations = await Promise.all(fleet.sources.map(observe));
      return statusView(observations, { mask, schemas }, Date.now());
    });
  };
