import type { RelayContext, Term } from "../relay-context.js";

/** A reason given is an exception, with its stack, not made: this runs for every publication. */
const heardEnough = new Error("somebody said that something was written");

/** Makes a function that waits until somebody says that something was written, in this process or through the source. */
export function changeWaiter({ log, nudged, limits }: RelayContext): (term: Term) => Promise<void> {
  let heard: Promise<void> = Promise.resolve();
  return async (term) => {
    if (nudged.isSet) return;
    // Ended already, or about to: a source is listened to once at a time.
    await heard;
    if (nudged.isSet) return;
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    term.signal.addEventListener("abort", abort);
    const listening = log.wait(limits.idleMs, stop.signal);
    heard = listening.catch(() => undefined);
    try {
      await Promise.race([nudged.wait(limits.idleMs, stop.signal), listening]);
    } finally {
      // Not awaited: whoever nudged must not wait until the source has understood that nobody listens any more.
      stop.abort(heardEnough);
      term.signal.removeEventListener("abort", abort);
    }
  };
}
