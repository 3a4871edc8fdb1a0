import type { FastifyInstance, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { httpProblem } from "../problem/http-problems.js";
import { isLoopback } from "./listen-guard.js";

/**
 * Keeps other sites' pages, open in the browser of somebody who can reach the service, from deciding or reading in their name:
 * - writes that say they come from another site are refused;
 * - without a token, the name in `Host` must be loopback, or a page could rebind its own name to 127.0.0.1.
 */
export const sameOrigin = fastifyPlugin(
  async (app: FastifyInstance, { hasToken }: { hasToken: boolean }) => {
    app.addHook("onRequest", async (request) => {
      if (!hasToken && !isLoopback(nameOf(request.host)))
        throw httpProblem("ORIGIN_REFUSED", "without a token only requests to a loopback name are answered");
      if (isSafe(request.method)) return;
      if (comesFromElsewhere(request))
        throw httpProblem("ORIGIN_REFUSED", "the request comes from another site's page");
    });
  },
  { name: "lockstep-same-origin" },
);

function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

function comesFromElsewhere({ headers, host }: FastifyRequest): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site !== "same-origin" && site !== "none";
  const { origin } = headers;
  return origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
}

function nameOf(host: string): string {
  return host.replace(/:\d+$/, "");
}
