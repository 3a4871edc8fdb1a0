import type { Logger } from "@lockstep/core";
import type { FastifyBaseLogger } from "fastify";
import { describeError } from "./problem-answers.js";

/** Nothing of ours logs these; should a plug-in ever try, they are left out: they hold values, tokens or bodies. */
const neverLogged = new Set(["req", "res", "body", "headers", "query", "image", "rawError"]);

/**
 * Any logger as Fastify wants it, made safe on the way: an error is told by its code and frames, because the messages of drivers quote row
 * values, and fields that hold requests or rows are dropped.
 */
export function safeLogger(logger: Logger, bindings: object = {}): FastifyBaseLogger {
  const write = (level: keyof Logger) => (first: unknown, second?: unknown) => {
    const message = typeof first === "string" ? first : typeof second === "string" ? second : "error";
    logger[level]({ ...bindings, ...safeFields(first) }, message);
  };
  return {
    level: "info",
    silent: () => undefined,
    trace: write("debug"),
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    fatal: write("error"),
    child: (more: object) => safeLogger(logger, { ...bindings, ...safeFields(more) }),
  };
}

function safeFields(given: unknown): object {
  if (given instanceof Error) return describeError(given);
  if (typeof given !== "object" || given === null) return {};
  const fields = Object.entries(given).filter(([name]) => !neverLogged.has(name));
  return Object.fromEntries(
    fields.map(([name, value]) => [name, value instanceof Error ? describeError(value) : (value as unknown)]),
  );
}
