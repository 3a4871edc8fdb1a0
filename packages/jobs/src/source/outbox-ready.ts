import { outboxWriterOf, runAtSource } from "@lockstep/publisher/capture";
import type { ChosenSource } from "./choose-sources.js";

/**
 * Looks once whether the outbox is there, with the record of jobs in it; until it is, every call looks again. In a state store it is made, as no application does.
 * The call @throws LockstepError OUTBOX_MISSING, SOURCE_UNAVAILABLE.
 */
export function outboxReady({ source, settings }: ChosenSource): () => Promise<void> {
  const writer = outboxWriterOf(source);
  const look = (): Promise<void> =>
    runAtSource(source, (run) =>
      settings.stateStore === undefined ? writer.check(run) : writer.ensure(run),
    );
  let looked: Promise<void> | undefined;
  return async () => {
    looked ??= look();
    try {
      await looked;
    } catch (error) {
      looked = undefined;
      throw error;
    }
  };
}
