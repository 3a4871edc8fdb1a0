import rateLimit from "@fastify/rate-limit";
import type { FastifyInstance } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { httpProblem } from "../problem/http-problems.js";

const oneMinuteMs = 60_000;

/**
 * Bounds requests per address and minute. Runs before authentication, which the plug-in's own route hooks don't, so that guessing
 * tokens and unknown addresses count too. Probes don't: an orchestrator must never be told to go away.
 */
export const requestLimit = fastifyPlugin(
  async (app: FastifyInstance, { perMinute }: { perMinute: number }) => {
    await app.register(rateLimit, { global: false, max: perMinute, timeWindow: oneMinuteMs, cache: 5000 });
    const count = app.createRateLimit();
    app.addHook("onRequest", async (request, reply) => {
      if (request.routeOptions.config.open === true) return;
      const verdict = await count(request);
      if (verdict.isAllowed || !verdict.isExceeded) return;
      void reply.header("retry-after", verdict.ttlInSeconds);
      throw httpProblem(
        "RATE_LIMITED",
        `more than ${perMinute} requests came from this address within a minute`,
      );
    });
  },
  { name: "lockstep-request-limit" },
);
