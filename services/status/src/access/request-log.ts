import type { FastifyInstance } from "fastify";
import fastifyPlugin from "fastify-plugin";

/**
 * One line per request: method, route pattern, status, time, who. Never the URL's query (a search text may be a row's value), headers or
 * bodies; Fastify's own request log, which holds the URL, is off.
 */
export const requestLog = fastifyPlugin(
  async (app: FastifyInstance) => {
    app.addHook("onResponse", async (request, reply) => {
      const fields = {
        method: request.method,
        route: request.routeOptions.url ?? "unknown",
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime),
        token: request.tokenName,
      };
      if (request.method === "GET") request.log.debug(fields, "request answered");
      else request.log.info(fields, "request answered");
    });
  },
  { name: "lockstep-request-log" },
);
