import bearerAuth from "@fastify/bearer-auth";
import type { FastifyInstance, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { httpProblem } from "../problem/http-problems.js";
import { type MatchToken, matcherOf } from "./tokens.js";
import type { NamedToken } from "../options.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Name of the token the request came with; `undefined` when none is needed. */
    tokenName: string | undefined;
  }
  interface FastifyContextConfig {
    /** True for what orchestrators ask without a token: the probes. */
    open?: boolean;
  }
}

/**
 * Asks everybody but the probes for a token. Pages that people open in a browser (`/queues`, `/docs`) also take it as the password of
 * HTTP Basic; the API doesn't, because browsers send Basic by themselves, even from other sites' pages.
 */
export const authentication = fastifyPlugin(
  async (app: FastifyInstance, { tokens }: { tokens: readonly NamedToken[] }) => {
    app.decorateRequest("tokenName", undefined);
    if (tokens.length === 0) return;
    const match = matcherOf(tokens);
    const auth = (presented: string, request: FastifyRequest) => admit(match, presented, request);
    await app.register(bearerAuth, {
      addHook: false,
      keys: [],
      auth,
      specCompliance: "rfc6749",
      verifyErrorLogLevel: "debug",
    });
    const verify = app.verifyBearerAuth!;
    app.addHook("onRequest", (request, reply, done) => {
      if (request.routeOptions.config.open === true) return done();
      const browsable = isBrowsable(request.url);
      const password = browsable ? basicPassword(request.headers.authorization) : undefined;
      if (password !== undefined && auth(password, request)) return done();
      verify(request, reply, (error) => {
        if (error === undefined) return done();
        void reply.header(
          "www-authenticate",
          `${browsable ? "Basic" : "Bearer"} realm="lockstep", charset="UTF-8"`,
        );
        done(httpProblem("UNAUTHORIZED", "a valid token is needed"));
      });
    });
  },
  { name: "lockstep-authentication" },
);

function admit(match: MatchToken, presented: string, request: FastifyRequest): boolean {
  request.tokenName = match(presented);
  return request.tokenName !== undefined;
}

function isBrowsable(url: string): boolean {
  return /^\/(queues|docs)(\/|\?|$)/.test(url);
}

function basicPassword(header: string | undefined): string | undefined {
  const encoded = /^basic ([a-z0-9+/=]+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1);
}
