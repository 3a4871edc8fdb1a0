/**
 * An error that isn't Lockstep's, by its kind, its code and its place: `TypeError (plan-full.js:31)`, `Error ECONNREFUSED (net.js:1611)`. Its own words may
 * quote a row's values, and stay out. Pure.
 */
export function kindAndPlace(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = "code" in error ? ` ${String(error.code)}` : "";
  const stack = error.stack ?? "";
  const place = /([^/\\\s(:]+(?:\.[cm]?[jt]s)?:\d+):\d+\)?(?:\n|$)/.exec(
    stack.slice(stack.indexOf("\n    at ") + 1),
  )?.[1];
  return `${error.name}${code}${place === undefined ? "" : ` (${place})`}`;
}
