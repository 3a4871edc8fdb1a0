/** What an examination (`lockstep doctor`, or the same checks at start) found about one thing. */
export interface Finding {
  /** What was looked at, stable for machines: `redis.eviction`, `source.clock`, `capture.coverage`, … */
  readonly check: string;
  /** `error`: changes are, or will be, lost, or nothing runs. `warning`: a promise is weaker than it could be. */
  readonly level: "ok" | "warning" | "error";
  /** Server, table or setting it is about; never an address with credentials. */
  readonly subject: string;
  /** What was found, in a sentence. */
  readonly message: string;
  /** What the user should do; absent when all is well. */
  readonly advice?: string;
}
