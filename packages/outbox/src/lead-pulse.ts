/** How the two ends of a leader's session notice that the other is gone. */
export interface LeadPulse {
  /** How often the leader asks its session whether it is there, and how long it waits for the answer, ms. Default 3000. */
  readonly everyMs: number;
  /** The server ends a leader's session that was silent for so long: the lead is free then, ms. Default 10000. */
  readonly silentMs: number;
}

/** The defaults named in {@link LeadPulse}. */
export const defaultLeadPulse: LeadPulse = { everyMs: 3_000, silentMs: 10_000 };

/**
 * Asks for as long as the lead is held, so that an idle leader's session stays, and one that is dead is noticed. Calls `onSilence` once when no answer
 * came. Returns a function that stops it.
 */
export function startPulse(ask: () => Promise<unknown>, everyMs: number, onSilence: () => void): () => void {
  let timer: NodeJS.Timeout;
  let isStopped = false;
  const wait = (): void => {
    if (!isStopped) timer = setTimeout(() => void ask().then(wait, onSilence), everyMs).unref();
  };
  wait();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
