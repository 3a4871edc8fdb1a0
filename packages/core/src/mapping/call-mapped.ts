import { isLockstepError, LockstepError } from "../errors.js";

/**
 * Runs a mapping's own code. `what` names it (`where`, `columns.total`).
 * @throws LockstepError TRANSFORM_FAILED naming the code's place; what the code threw is the cause, because it may quote values.
 */
export function callMapped<T>(table: string, what: string, code: () => T): T {
  try {
    return code();
  } catch (cause) {
    if (isLockstepError(cause, "MAPPING_NEEDS_WHOLE_IMAGE")) throw cause;
    const place = cause instanceof Error ? placeOf(cause.stack ?? "") : undefined;
    const about = place === undefined ? what : `${what} (${place})`;
    throw new LockstepError("TRANSFORM_FAILED", `the mapping of ${table} failed in ${about}`, {
      cause,
      details: { about },
    });
  }
}

const frame = /^\s+at (?:.*\()?(.+?):(\d+):\d+\)?$/;
const own = new URL(".", import.meta.url);

/** `file:line` of the user's innermost frame: not ours, not the engine's. */
function placeOf(stack: string): string | undefined {
  for (const line of stack.split("\n")) {
    if (line.includes(callMapped.name)) return undefined;
    const [, file, number] = frame.exec(line) ?? [];
    if (file === undefined || file.startsWith("node:") || file.startsWith("<")) continue;
    if (file.startsWith(own.href) || file.startsWith(own.pathname)) continue;
    return `${file.split(/[/\\]/).at(-1)}:${number}`;
  }
  return undefined;
}
