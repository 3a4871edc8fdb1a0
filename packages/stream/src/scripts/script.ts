import { createHash } from "node:crypto";
import type { RedisClient } from "../redis-link.js";

/** A Lua script, called by its hash. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/** Prepares a script. */
export function script(lua: string): Script {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** Runs a script; sends its text when the server doesn't know it (yet, or after a restart). */
export async function runScript(
  client: RedisClient,
  { lua, sha }: Script,
  keys: readonly string[],
  parameters: readonly (string | number | Buffer)[],
): Promise<unknown> {
  try {
    return await client.call("evalsha", sha, keys.length, ...keys, ...parameters);
  } catch (error) {
    if (!isUnknownScript(error)) throw error;
    return client.call("eval", lua, keys.length, ...keys, ...parameters);
  }
}

/** True for the refusal of a server that doesn't know the script by its hash. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
