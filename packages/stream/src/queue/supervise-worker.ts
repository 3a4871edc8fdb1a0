/** The part of a worker that a supervisor needs. */
export interface SupervisedWorker {
  /** When it last ended a job, ms by `performance.now()`; its start counts. */
  lastProgressAt(): number;
  close(): Promise<void>;
}

/** How a worker is supervised. */
export interface Supervision<T extends SupervisedWorker> {
  /** Starts a worker. */
  open(): T;
  /** How long the oldest job has been due, ms; `undefined` when none is. */
  overdueMs(): Promise<number | undefined>;
  /** How often to look, and how long a due job may lie while nothing moves, ms. */
  readonly everyMs: number;
  onReplaced(): void;
}

/** Keeps a worker running; `close` ends it. */
export interface Supervisor {
  close(): Promise<void>;
}

/**
 * Replaces a worker that takes no jobs although some are due. BullMQ's workers have stopped silently after fail-overs, and
 * `isRunning()` still said true (taskforcesh/bullmq #648, #2964, #3088): only progress tells.
 */
export function superviseWorker<T extends SupervisedWorker>(supervision: Supervision<T>): Supervisor {
  const { open, overdueMs, everyMs, onReplaced } = supervision;
  let worker = open();
  const look = async (): Promise<void> => {
    const overdue = await overdueMs();
    if (overdue === undefined || !isStuck(overdue, performance.now() - worker.lastProgressAt(), everyMs))
      return;
    // Not awaited: a worker in this state may never close.
    worker.close().catch(() => undefined);
    worker = open();
    onReplaced();
  };
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // Redis is away: there is nothing to be seen, and the next look comes.
    looking = looking.then(look).catch(() => undefined);
  }, everyMs);
  timer.unref();
  return {
    async close() {
      clearInterval(timer);
      await looking;
      await worker.close();
    },
  };
}

/** True when a job is due for longer than the bound and nothing moved for as long. Pure. */
export function isStuck(overdueMs: number, idleMs: number, boundMs: number): boolean {
  return overdueMs > boundMs && idleMs > boundMs;
}
