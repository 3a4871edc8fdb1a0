import { LockstepError } from "@lockstep/core";
import { z } from "zod";
import { anyJob, type JobKindName, type JobOptions } from "./job-options.js";

const requested = anyJob({
  /** Which source, when there are several. */
  source: z.string().exactOptional(),
});

/** A job that somebody asks for: one of the kinds, with its options. */
export type JobRequest = {
  readonly [K in JobKindName]: { readonly kind: K; readonly options: JobOptions<K> };
}[JobKindName];

/** Reads a request for a job as it came. @throws LockstepError REQUEST_INVALID, naming what is wrong. */
export function parseJobRequest(body: unknown): JobRequest & { readonly source?: string } {
  const { success, data, error } = requested.safeParse(body);
  if (success) {
    const { kind, source, ...options } = data;
    return { kind, options, ...(source !== undefined && { source }) } as JobRequest;
  }
  const problems = error.issues.map(({ path, message }) => `${["body", ...path].join(".")}: ${message}`);
  throw new LockstepError("REQUEST_INVALID", problems.slice(0, 5).join("; "));
}

/** The form of such a request, as JSON Schema 2020-12. */
export function jobRequestForm(): object {
  const { $schema: _, ...form } = z.toJSONSchema(requested, { io: "input" });
  return form;
}
