import { type ErrorCode, isLockstepError, LockstepError } from "@lockstep/core";

/** The only way to a target or to Redis: bounded in time and in number, so that one that is down holds up nobody. */
export interface Door {
  /** @throws LockstepError of the door's code when there is no answer in time, or too many questions are open already. */
  ask<T>(call: () => Promise<T>, timeoutMs?: number): Promise<T>;
  /** Like `ask`; those who ask the same while an answer is under way share it, so that polling adds no load to a slow target. */
  share<T>(question: string, call: () => Promise<T>): Promise<T>;
}

/** How a door behaves. */
export interface DoorOptions {
  /** What is behind it, for messages: `target reports`. */
  readonly what: string;
  /** The code of silence. */
  readonly code: ErrorCode;
  readonly timeoutMs: number;
  readonly maxPending: number;
  /** Must have succeeded once before the first question. */
  readonly open?: () => Promise<unknown>;
  /** What a driver's error means; `undefined`: nothing known, it is thrown as it is. */
  readonly codeOf?: (error: unknown) => ErrorCode | undefined;
}

/** Opens a door. */
export function openDoor({ what, code, timeoutMs, maxPending, open, codeOf }: DoorOptions): Door {
  let pending = 0;
  let opened: Promise<unknown> | undefined;
  const shared = new Map<string, Promise<unknown>>();

  // A call that timed out still counts until it ends by itself: otherwise a dead target would collect calls without bound.
  function begin<T>(call: () => Promise<T>): Promise<T> {
    if (pending >= maxPending) {
      return Promise.reject(new LockstepError(code, `${what} has ${pending} questions open`));
    }
    pending++;
    return run(call).finally(() => pending--);
  }

  async function run<T>(call: () => Promise<T>): Promise<T> {
    try {
      await ready();
      return await call();
    } catch (error) {
      throw explain(error);
    }
  }

  async function ready(): Promise<void> {
    opened ??= open?.();
    try {
      await opened;
    } catch (error) {
      opened = undefined;
      throw error;
    }
  }

  function explain(error: unknown): unknown {
    if (isLockstepError(error)) return error;
    const meaning = codeOf?.(error);
    return meaning === undefined
      ? error
      : new LockstepError(meaning, `${what} didn't answer`, { cause: error });
  }

  const silence = (afterMs: number) => new LockstepError(code, `${what} didn't answer within ${afterMs} ms`);

  return {
    ask: (call, boundMs = timeoutMs) => within(begin(call), boundMs, silence),
    share<T>(question: string, call: () => Promise<T>) {
      let answer = shared.get(question) as Promise<T> | undefined;
      if (answer === undefined) {
        answer = begin(call).finally(() => shared.delete(question));
        shared.set(question, answer);
      }
      return within(answer, timeoutMs, silence);
    },
  };
}

async function within<T>(work: Promise<T>, timeoutMs: number, silence: (ms: number) => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(silence(timeoutMs)), timeoutMs);
  });
  try {
    return await Promise.race([work, bound]);
  } finally {
    clearTimeout(timer);
  }
}
