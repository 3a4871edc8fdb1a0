import { type ErrorCode, LockstepError } from "../errors.js";

/**
 * Runs code of the user's that makes a row. `what` names it (`where`, `columns.total`).
 * @throws LockstepError with this code, naming the code's place; what the code threw is the cause, because it may quote values.
 */
export function runUsersCode<T>(code: ErrorCode, message: string, what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const place = cause instanceof Error ? placeOf(cause.stack ?? "") : undefined;
    const about = place === undefined ? what : `${what} (${place})`;
    throw new LockstepError(code, `${message} in ${about}`, { cause, details: { about } });
  }
}

const frame = /^\s+at (?:.*\()?(.+?):(\d+):\d+\)?$/;
const own = new URL("..", import.meta.url);

/** `file:line` of the user's innermost frame: not ours, not the engine's. */
function placeOf(stack: string): string | undefined {
  for (const line of stack.split("\n")) {
    if (line.includes(runUsersCode.name)) return undefined;
    const [, file, number] = frame.exec(line) ?? [];
    if (file === undefined || file.startsWith("node:") || file.startsWith("<")) continue;
    if (file.startsWith(own.href) || file.startsWith(own.pathname)) continue;
    return `${file.split(/[/\\]/).at(-1)}:${number}`;
  }
  return undefined;
}
