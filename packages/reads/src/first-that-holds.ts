import { isLockstepError } from "@lockstep/core";
import { inTime, untilItHas } from "./freshness/until-it-has.js";
import type { Replica } from "./replica.js";
import type { Request } from "./request.js";

/**
 * The first replica that comes to hold what the request needs. All of them are asked side by side; `undefined` when the deadline comes first.
 * @throws LockstepError READ_TOKEN_INVALID when the request's token says nothing about any of them.
 */
export async function firstThatHolds(
  request: Request,
  replicas: readonly Replica[],
  deadline: number,
): Promise<Replica | undefined> {
  const { needs } = request;
  const asked = replicas.map(async (replica) => {
    const mark = await markFor(request, replica, deadline);
    if (!(await untilItHas(replica.freshness, mark, deadline))) throw new Error("behind");
    request.heldBy(replica, needs);
    return replica;
  });
  return Promise.any(asked).catch((error: AggregateError) => {
    const isTokenInvalid = (one: unknown): boolean => isLockstepError(one, "READ_TOKEN_INVALID");
    if (error.errors.every(isTokenInvalid)) throw error.errors[0];
    return undefined;
  });
}

async function markFor(request: Request, { freshness }: Replica, deadline: number): Promise<string> {
  const known = request.markIn(freshness.space);
  if (known !== undefined) return known;
  const { needs } = request;
  const mark = await inTime(freshness.mark(), deadline);
  if (mark === undefined) throw new Error("behind");
  request.marked(freshness.space, needs, mark);
  return mark;
}
