import type { RelayContext, Term } from "../relay-context.js";

/** A reason given is an exception, with its stack, not made: this runs for every publication. */
const heardEnough = new Error("somebody said that something was written");

/** Makes a function that waits until somebody says that something was written, in this process or through the source. */
export function changeWaiter({ log, nudged, limits }: RelayContext): (term: Term) => Promise<void> {
  let heard: Promise<void> = Promise.resolve();
  const listen = async (signal: AbortSignal): Promise<void> => {
    // Ended already, or about to: a source is listened to once at a time. One that doesn't answer keeps nobody, the caller looks by itself then.
    await heard;
    if (signal.aborted) return;
    const listening = log.wait(limits.idleMs, signal);
    heard = listening.catch(() => undefined);
    await listening;
  };
  return async (term) => {
    // A term may have ended while the relay looked: an abort that has been says nothing to who listens afterwards.
    if (nudged.isSet || term.signal.aborted) return;
    const stop = new AbortController();
    const abort = (): void => stop.abort();
    term.signal.addEventListener("abort", abort);
    const listening = listen(stop.signal);
    listening.catch(() => undefined);
    try {
      await Promise.race([nudged.wait(limits.idleMs, stop.signal), listening]);
    } finally {
      // Not awaited: whoever nudged must not wait until the source has understood that nobody listens any more.
      stop.abort(heardEnough);
      term.signal.removeEventListener("abort", abort);
    }
  };
}
