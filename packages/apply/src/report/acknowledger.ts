import { comparePositions, type Position, type StreamReader } from "@lockstep/core";

/** What an acknowledger needs. */
export interface AcknowledgerOptions {
  readonly reader: Pick<StreamReader, "acknowledge">;
  readonly partition: number;
  readonly elapsed: () => number;
}

const throttleMs = 50;
const heartbeatMs = 1_000;

/** Tells the relay how far the target is: at once after a pause, else throttled, and every second again because Redis may have been emptied. */
export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  #position: Position | undefined;
  #target = "";
  #sent: Position | undefined;
  #sentAt = -Infinity;
  #sending: Promise<void> | undefined;

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
  }

  /** The target holds everything up to `position`. */
  reached(target: string, position: Position): void {
    this.#target = target;
    this.#position = position;
    if (this.#options.elapsed() - this.#sentAt >= throttleMs) this.#send();
  }

  /** The lane isn't this process's any more: its new owner speaks for it. */
  release(): void {
    this.#position = undefined;
  }

  /** Called often: sends what was held back, and the heartbeat. */
  pulse(): void {
    if (this.#position === undefined) return;
    const fresh = this.#sent === undefined || comparePositions(this.#position, this.#sent) !== 0;
    if (fresh || this.#options.elapsed() - this.#sentAt >= heartbeatMs) this.#send();
  }

  /** Sends the last position and waits for that, at most until the reader gives up. */
  async flush(): Promise<void> {
    await this.#sending;
    this.pulse();
    await this.#sending;
  }

  #send(): void {
    const position = this.#position;
    if (position === undefined || this.#sending !== undefined) return;
    this.#sentAt = this.#options.elapsed();
    const { reader, partition } = this.#options;
    // Nothing depends on it: a lost one is repeated within a second.
    this.#sending = reader
      .acknowledge(partition, this.#target, position)
      .then(
        () => void (this.#sent = position),
        () => undefined,
      )
      .finally(() => (this.#sending = undefined));
  }
}
