import { isLockstepError } from "@lockstep/core";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { httpProblem } from "./http-problems.js";
import { problemOf } from "./problem.js";

/** Seconds after which an unavailable part is worth another try. */
const retryAfterSeconds = 5;

/** Answers every error, whoever raised it, as `application/problem+json`. */
export const problemAnswers = fastifyPlugin(
  async (app: FastifyInstance) => {
    app.setErrorHandler((error, request, reply) => {
      const problem = problemOf(error, request.id);
      if (problem.status >= 500) request.log.error(describeError(error), "request failed");
      if (problem.status === 503 && !reply.hasHeader("retry-after"))
        void reply.header("retry-after", retryAfterSeconds);
      return sendProblem(reply, problem);
    });
    app.setNotFoundHandler((request, reply) =>
      sendProblem(reply, problemOf(httpProblem("NOT_FOUND", "there is nothing at this address"), request.id)),
    );
  },
  { name: "lockstep-problem-answers" },
);

/** Answers what Fastify refuses before any hook or handler sees it: an address that isn't UTF-8. */
export function answerUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  void sendProblem(reply, problemOf(error, request.id));
}

/** Sends a problem past the route's own response schemas. */
function sendProblem(reply: FastifyReply, problem: ReturnType<typeof problemOf>): FastifyReply {
  return reply
    .code(problem.status)
    .type("application/problem+json")
    .serializer((payload: unknown) => JSON.stringify(payload))
    .send(problem);
}

/** What a log may hold of an error. The messages of drivers quote row values, so only Lockstep's own are told. */
export function describeError(error: unknown): object {
  if (isLockstepError(error)) {
    return { code: error.code, details: error.details, error: error.message, ...causeOf(error.cause) };
  }
  if (!(error instanceof Error)) return { error: typeof error };
  return { error: error.name, ...causeOf(error), frames: framesOf(error) };
}

function causeOf(cause: unknown): object {
  return cause instanceof Error && "code" in cause ? { cause: String(cause.code) } : {};
}

function framesOf(error: Error): string[] {
  const lines = (error.stack ?? "").split("\n").map((line) => line.trim());
  return lines.filter((line) => line.startsWith("at ")).slice(0, 8);
}
