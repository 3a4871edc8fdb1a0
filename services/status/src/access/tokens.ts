import { createHash, timingSafeEqual } from "node:crypto";
import { LockstepError } from "@lockstep/core";
import type { NamedToken, StatusServerOptions } from "../options.js";

/** Finds whose token this is; `undefined` when nobody's. */
export type MatchToken = (presented: string) => string | undefined;

/** The tokens of the options in one list. @throws LockstepError CONFIG_INVALID for an empty token or a name used twice. */
export function tokensOf({
  token,
  tokens = [],
}: Pick<StatusServerOptions, "token" | "tokens">): readonly NamedToken[] {
  const all = token === undefined ? tokens : [{ name: "token", token }, ...tokens];
  if (all.some((t) => t.token.trim() === "" || t.name.trim() === ""))
    throw new LockstepError("CONFIG_INVALID", "a token or its name is empty");
  if (new Set(all.map((t) => t.name)).size < all.length)
    throw new LockstepError("CONFIG_INVALID", "two tokens have the same name");
  return all;
}

/**
 * Compares in constant time: digests have one length, and every token is compared whether or not an earlier one matched, so the
 * time tells neither how much of a token was right nor which one it was.
 */
export function matcherOf(tokens: readonly NamedToken[]): MatchToken {
  const known = tokens.map(({ name, token }) => ({ name, digest: digestOf(token) }));
  return (presented) => {
    const digest = digestOf(presented);
    let owner: string | undefined;
    for (const candidate of known) {
      if (timingSafeEqual(candidate.digest, digest)) owner = candidate.name;
    }
    return owner;
  };
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
