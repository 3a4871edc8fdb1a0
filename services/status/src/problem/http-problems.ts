/** Conditions of HTTP itself. Everything that Lockstep means is in core's error table instead. */
export const httpProblems = {
  UNAUTHORIZED: { status: 401, hint: "Send the header Authorization: Bearer <token>." },
  ORIGIN_REFUSED: { status: 403, hint: "Call the service from its own page, or from a program." },
  NOT_FOUND: { status: 404, hint: "/docs lists every route." },
  METHOD_NOT_ALLOWED: { status: 405, hint: "Use the API's own routes; /docs lists them." },
  PAYLOAD_TOO_LARGE: { status: 413, hint: "Send fewer ids at a time." },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, hint: "Send JSON with Content-Type: application/json." },
  RATE_LIMITED: { status: 429, hint: "Wait for the seconds in Retry-After." },
  INTERNAL: { status: 500, hint: "Look for the request's id in the service's log." },
  OVERLOADED: { status: 503, hint: "The service is busy; try again after the seconds in Retry-After." },
} as const;

/** The code of an {@link httpProblems} entry. */
export type HttpProblemCode = keyof typeof httpProblems;

/** An error that Fastify's plug-ins can throw through: it carries a code of {@link httpProblems} and its status. */
export interface HttpProblemError extends Error {
  readonly code: HttpProblemCode;
  readonly statusCode: number;
}

/** Makes one. `detail` is shown to the caller. */
export function httpProblem(code: HttpProblemCode, detail: string): HttpProblemError {
  return Object.assign(new Error(detail), { code, statusCode: httpProblems[code].status });
}
