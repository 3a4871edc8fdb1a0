import { splitPosition, type LoggedChanges, type Position } from "@lockstep/core";

/**
 * Asks for the next page while the caller works on this one, except behind a page that `isLast`: the question whether more follows
 * would cost a round trip that the answer is known to.
 */
export async function* readAhead<T>(
  pages: AsyncIterable<T>,
  isLast: (page: T) => boolean,
): AsyncGenerator<T> {
  const iterator = pages[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<T>> | undefined = iterator.next();
  try {
    while (next) {
      const page: IteratorResult<T> = await next;
      next = undefined;
      if (page.done === true) return;
      if (!isLast(page.value)) {
        next = iterator.next();
        // Its failure is met when it is awaited, after the caller's own work.
        next.catch(() => undefined);
      }
      yield page.value;
    }
  } finally {
    await next?.catch(() => undefined);
    await iterator.return?.();
  }
}

/** True for the page that ends the last tick that is cut. */
export function endsAt(top: Position): (page: readonly LoggedChanges[]) => boolean {
  const { tick } = splitPosition(top);
  return (page) => {
    const last = page.at(-1);
    return last !== undefined && last.endsTick && last.tick >= tick;
  };
}
