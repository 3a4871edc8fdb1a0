import { type ErrorCode, errorTable, isLockstepError } from "@lockstep/core";
import type { FastifyError } from "fastify";
import { type Static, Type } from "typebox";
import { type HttpProblemCode, httpProblems } from "./http-problems.js";

/** RFC 9457 problem details, with Lockstep's code and what to do. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: "`urn:lockstep:error:<code>`" }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: "Stable; docs/errors.md explains each" }),
    hint: Type.String({ description: "What to do" }),
    instance: Type.String({ description: "The request's id, as in the service's log" }),
  },
  { $id: "Problem", description: "RFC 9457 problem details" },
);
export type Problem = Static<typeof Problem>;

/** HTTP status of Lockstep's own errors; those that aren't here are the service's own fault: 500. */
const statusOf: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  FILTER_EMPTY: 400,
  CONFIG_INVALID: 400,
  ENTITY_UNKNOWN: 400,
  SYNC_CONDITION_INVALID: 400,
  LETTER_UNKNOWN: 404,
  CONFLICT_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  SCHEDULE_UNKNOWN: 404,
  LANE_UNKNOWN: 404,
  LETTER_STATE: 409,
  JOB_LIVE: 409,
  JOB_STATE: 409,
  TARGET_NOT_FOLLOWING: 409,
  TABLE_WITHOUT_PRIMARY_KEY: 409,
  INCREMENTAL_COLUMN: 409,
  INCREMENTAL_INDEX: 409,
  INCREMENTAL_CAPTURED: 409,
  SOURCE_UNTOUCHED: 409,
  OUTBOX_MISSING: 409,
  SOURCE_UNAVAILABLE: 503,
  STREAM_UNAVAILABLE: 503,
  TARGET_UNAVAILABLE: 503,
};

/**
 * What a caller is told of an error. Messages of errors that aren't known to be free of row values (drivers', bugs') are never shown.
 * @param instance the request's id.
 */
export function problemOf(error: unknown, instance: string): Problem {
  if (isLockstepError(error)) {
    const { code, what } = error;
    return make(code, statusOf[code] ?? 500, what, errorTable[code].hint, instance);
  }
  if (!isFastifyError(error)) return ofHttp("INTERNAL", "the request failed unexpectedly", instance);
  if (error.validation) return invalid(validationDetail(error), instance);
  if (error.code in httpProblems) return ofHttp(error.code as HttpProblemCode, error.message, instance);
  return ofStatus(error, instance);
}

// Fastify's own errors (body, media type, URL): their messages quote no bodies.
function ofStatus(error: FastifyError, instance: string): Problem {
  const status = error.statusCode ?? 500;
  if (status === 404) return ofHttp("NOT_FOUND", "there is nothing at this address", instance);
  if (status === 405) return ofHttp("METHOD_NOT_ALLOWED", "this method isn't allowed here", instance);
  if (status === 413) return ofHttp("PAYLOAD_TOO_LARGE", "the request's body is too large", instance);
  if (status === 415) return ofHttp("UNSUPPORTED_MEDIA_TYPE", "the request's body isn't JSON", instance);
  if (status === 503) return ofHttp("OVERLOADED", "the service is busy", instance);
  if (status >= 400 && status < 500) return invalid(clientFault(error), instance);
  return ofHttp("INTERNAL", "the request failed unexpectedly", instance);
}

function clientFault(error: FastifyError): string {
  return error.code.startsWith("FST_ERR_CTP")
    ? "the request's body is empty or isn't valid JSON"
    : "the request is malformed";
}

function validationDetail({ validation = [], validationContext }: FastifyError): string {
  const part = validationContext === "querystring" ? "query" : (validationContext ?? "");
  // "schema is false" only repeats what the parent says of an unknown property.
  const lines = validation
    .filter(({ keyword }) => keyword !== "boolean")
    .map(({ instancePath, message, params }) => {
      const field = instancePath.replace(/^\//, "").replaceAll("/", ".");
      const allowed: unknown = params["allowedValues"];
      const extra: unknown = params["additionalProperties"];
      const more = allowed ?? extra;
      return `${[part, field].filter(Boolean).join(".")} ${message ?? "is invalid"}${Array.isArray(more) ? `: ${more.join(", ")}` : ""}`;
    });
  return [...new Set(lines)].slice(0, 5).join("; ");
}

function invalid(detail: string, instance: string): Problem {
  return make("REQUEST_INVALID", 400, detail, errorTable.REQUEST_INVALID.hint, instance);
}

function ofHttp(code: HttpProblemCode, detail: string, instance: string): Problem {
  return make(code, httpProblems[code].status, detail, httpProblems[code].hint, instance);
}

function make(code: string, status: number, detail: string, hint: string, instance: string): Problem {
  const words = code.toLowerCase().replaceAll("_", " ");
  const title = words.charAt(0).toUpperCase() + words.slice(1);
  return { type: `urn:lockstep:error:${code}`, title, status, detail, code, hint, instance };
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "statusCode" in error;
}
