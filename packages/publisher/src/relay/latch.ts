/** Remembers that somebody knocked until it is cleared; whoever waits is let through at once when somebody already has. */
export class Latch {
  private knocked = false;
  private waiting = new Set<() => void>();

  get isSet(): boolean {
    return this.knocked;
  }

  set(): void {
    this.knocked = true;
    for (const go of this.waiting) go();
    this.waiting.clear();
  }

  clear(): void {
    this.knocked = false;
  }

  /** Returns when the latch is set, at the latest after `timeoutMs` or when `signal` aborts. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.knocked || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener("abort", done);
      this.waiting.add(done);
    });
  }
}
