import { isLockstepError } from "@lockstep/core";
import { openCatchUp, type CatchUp, type CatchUpFeed } from "../catch-up.js";
import type { RelayContext, Term } from "../relay-context.js";

/** A catch-up stream that is being fed. */
export interface RunningCatchUp {
  readonly feed: CatchUpFeed;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** Starts to feed a lane; calls `onEnd` when the feed has ended and its stream is removed. */
export async function startCatchUp(
  context: RelayContext,
  term: Term,
  wish: CatchUp,
  onEnd: () => void,
): Promise<RunningCatchUp> {
  const { source, logger } = context;
  const { target, partition, after } = wish;
  const stop = new AbortController();
  const feed = await openCatchUp(context, term, wish, stop.signal);
  logger.info({ source, target, partition, after }, "target catches up from the source");
  const abort = (): void => stop.abort();
  term.signal.addEventListener("abort", abort);
  const run = async (): Promise<void> => {
    try {
      await feed.run();
    } catch (error) {
      const code = isLockstepError(error) ? error.code : "unknown";
      const isEnding = stop.signal.aborted || context.draining.aborted;
      if (!isEnding) logger.warn({ source, target, partition, code }, "catch-up ended early");
    } finally {
      term.signal.removeEventListener("abort", abort);
      await context.stream.remove({ partition, target }).catch(() => undefined);
      onEnd();
    }
  };
  return { feed, stop, done: run() };
}

/** Ends a feed and waits until its stream is removed. */
export async function endCatchUp({ stop, done }: RunningCatchUp): Promise<void> {
  stop.abort();
  await done;
}
