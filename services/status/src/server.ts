import { randomUUID } from "node:crypto";
import helmet from "@fastify/helmet";
import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import { type Logger, silentLogger } from "@lockstep/core";
import underPressure from "@fastify/under-pressure";
import { fastify, type FastifyInstance, LogController } from "fastify";
import { authentication } from "./access/authentication.js";
import { guardListening } from "./access/listen-guard.js";
import { requestLimit } from "./access/rate-limit.js";
import { requestLog } from "./access/request-log.js";
import { sameOrigin } from "./access/same-origin.js";
import { tokensOf } from "./access/tokens.js";
import { docs } from "./docs.js";
import { makeFleet } from "./fleet/fleet.js";
import { maskOf } from "@lockstep/core";
import { openSchemaBook } from "./letters/schema-book.js";
import {
  defaultAddress,
  defaultLimits,
  type NamedToken,
  type StatusLimits,
  type StatusServerOptions,
} from "./options.js";
import { methodNotAllowed } from "./problem/method-not-allowed.js";
import { answerUnroutable, problemAnswers } from "./problem/problem-answers.js";
import { safeLogger } from "./problem/safe-logger.js";
import { isQueueBoard, queueBoard } from "./queues/queue-board.js";
import { bulkReplayRoute } from "./routes/bulk-replay-route.js";
import { conflictsRoute } from "./routes/conflicts-route.js";
import { deadLetterRoute } from "./routes/dead-letter-route.js";
import { deadLettersRoute } from "./routes/dead-letters-route.js";
import { jobsRoute } from "./routes/jobs-route.js";
import { lanesRoute } from "./routes/lanes-route.js";
import { metricsRoute } from "./routes/metrics-route.js";
import { probesRoute } from "./routes/probes-route.js";
import type { RouteContext } from "./routes/route-context.js";
import { schedulesRoute } from "./routes/schedules-route.js";
import { statusRoute } from "./routes/status-route.js";

/** A status service that listens. Disposing answers what is in flight, within `drainTimeoutMs`, then closes. */
export interface StatusServer extends AsyncDisposable {
  /** Where it listens, without a trailing slash. */
  readonly url: string;
  /** The Fastify application, for tests and embedding. */
  readonly app: FastifyInstance;
}

/**
 * Starts the status service. What is handed in (targets, readers, queues, logger) stays the caller's.
 * @throws LockstepError LISTEN_WITHOUT_TOKEN, CONFIG_INVALID.
 */
export async function createStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { host, port } = { ...defaultAddress, ...options };
  const limits: StatusLimits = { ...defaultLimits, ...options.limits };
  const tokens = tokensOf(options);
  guardListening(host, tokens.length > 0);
  const fleet = makeFleet(options.sources, limits);
  const context: RouteContext = {
    fleet,
    mask: maskOf(options.maskColumns ?? []),
    schemas: openSchemaBook(fleet.sources),
    limits,
  };
  const app = makeApp(options.logger ?? silentLogger, limits);
  await registerGuards(app, tokens, limits);
  await registerRoutes(app, context, tokens.length > 0);
  const url = await app.listen({ host, port });
  return { url, app, [Symbol.asyncDispose]: () => drain(app, limits.drainTimeoutMs) };
}

function makeApp(logger: Logger, limits: StatusLimits): FastifyInstance {
  const app = fastify({
    loggerInstance: safeLogger(logger),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: 30_000,
    forceCloseConnections: "idle",
    frameworkErrors: answerUnroutable,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
  });
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  app.removeContentTypeParser("text/plain");
  return app;
}

// The order is the order of the hooks: counting comes before asking for a token, so that guesses count.
async function registerGuards(
  app: FastifyInstance,
  tokens: readonly NamedToken[],
  limits: StatusLimits,
): Promise<void> {
  await app.register(problemAnswers);
  await app.register(requestLog);
  await app.register(helmet, { contentSecurityPolicy: { directives: pagePolicy }, hsts: false });
  await app.register(underPressure, { maxEventLoopDelay: limits.maxEventLoopDelayMs });
  await app.register(requestLimit, { perMinute: limits.requestsPerMinute });
  await app.register(sameOrigin, { hasToken: tokens.length > 0 });
  await app.register(authentication, { tokens });
  await app.register(methodNotAllowed, { isReadOnly: isQueueBoard });
}

async function registerRoutes(app: FastifyInstance, context: RouteContext, hasToken: boolean): Promise<void> {
  await app.register(docs, { hasToken });
  await app.register(queueBoard(context.fleet));
  await app.register(probesRoute(context));
  await app.register(metricsRoute(context));
  await app.register(api(context), { prefix: "/api/v1" });
}

const api = (context: RouteContext) => async (app: FastifyInstance) => {
  app.addHook("onSend", async (_, reply) => {
    void reply.header("cache-control", "no-store");
  });
  await app.register(statusRoute(context));
  await app.register(deadLettersRoute(context));
  await app.register(bulkReplayRoute(context));
  await app.register(deadLetterRoute(context));
  await app.register(conflictsRoute(context));
  await app.register(lanesRoute(context));
  await app.register(jobsRoute(context));
  await app.register(schedulesRoute(context));
};

// bull-board sets its theme by inline styles; nothing is loaded from elsewhere, its web fonts included.
const pagePolicy = {
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", "data:"],
  fontSrc: ["'self'", "data:"],
  upgradeInsecureRequests: null,
};

async function drain(app: FastifyInstance, timeoutMs: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  // A connection that was answering when the end began stays open for the next request; nobody else would close it.
  const sweep = setInterval(() => app.server.closeIdleConnections(), 20);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
    clearInterval(sweep);
  }
}
