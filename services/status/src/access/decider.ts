import type { FastifyRequest } from "fastify";

const longestName = 100;

/**
 * Who decides, for the record: `X-Lockstep-User` (whoever holds a token is trusted to say), else the token's name, else `anonymous`.
 * Control characters are dropped, so that a name can't forge a second line anywhere.
 */
export function deciderOf(request: Pick<FastifyRequest, "headers" | "tokenName">): string {
  const header = request.headers["x-lockstep-user"];
  const said = (Array.isArray(header) ? header[0] : header)
    ?.replace(/\p{C}/gu, "")
    .trim()
    .slice(0, longestName);
  return said || request.tokenName || "anonymous";
}
