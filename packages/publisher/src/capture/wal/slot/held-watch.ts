import type { Logger } from "@lockstep/core";

/** Watches how much of the log the slot holds back. */
export interface HeldWatch {
  note(bytes: number): void;
  /** More than the limit, when it was noted last. */
  isBeyond(): boolean;
}

const sayAgainMs = 60_000;

/** Says loudly, once a minute, when more than `maxBytes` are held: a slot that nobody confirms fills the source's disk. */
export function heldWatch({
  source,
  logger,
  maxBytes,
}: {
  readonly source: string;
  readonly logger: Logger;
  readonly maxBytes: number;
}): HeldWatch {
  let held = 0;
  let saidAt = -Infinity;
  return {
    note(bytes) {
      held = bytes;
      if (held <= maxBytes) saidAt = -Infinity;
      else if (performance.now() - saidAt >= sayAgainMs) {
        saidAt = performance.now();
        logger.error(
          { source, heldLogBytes: held, maxHeldLogBytes: maxBytes },
          "write-ahead log is held back",
        );
      }
    },
    isBeyond: () => held > maxBytes,
  };
}
