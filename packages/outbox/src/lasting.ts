/** Takes what a limit says at a look, and gives what it has said at every look of the span. */
export type Lasting = (limit: bigint) => bigint;

/** How long a target must look too old before it is given up: a clock that jumped is put right within that. */
const defaultSpanMs = 60 * 60 * 1000;

/**
 * Ages are told by the source's clock, and a clock may jump: then everything looks old at once, and would be given up for good. So what
 * looks old is old only when it did at every look for `spanMs` (default one hour, at most `maxAgeMs`), measured by a clock that nobody
 * sets. Whoever follows gets past what was written before the jump long before that.
 */
export function lasting(
  {
    maxAgeMs,
    spanMs = Math.min(defaultSpanMs, maxAgeMs),
  }: { readonly maxAgeMs: number; readonly spanMs?: number },
  elapsed: () => number = () => performance.now(),
): Lasting {
  let lasted = 0n;
  let span: { readonly limit: bigint; readonly since: number } | undefined;
  return (limit) => {
    const now = elapsed();
    span = { limit: lower(span?.limit ?? limit, limit), since: span?.since ?? now };
    if (now - span.since >= spanMs) {
      lasted = span.limit;
      span = { limit, since: now };
    }
    lasted = lower(lasted, limit);
    return lasted;
  };
}

const lower = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The later of two ticks. */
export const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);
