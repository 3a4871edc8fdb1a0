import { type DeadLetterDetail, type LetterDesk, liveLetterStates } from "../ports/dead-letters.js";

/**
 * A desk of the hub's letters. A leaf holds back what the hub sends of a row until the hub has answered the leaf's own change of it: when a person discards that change, `answer` tells
 * the leaves that the hub's row stands. First it: a letter that is live still can be discarded again.
 */
export function answeringDesk(
  desk: LetterDesk,
  answer: (letter: DeadLetterDetail) => Promise<void>,
): LetterDesk {
  return {
    list: (filter, page) => desk.list(filter, page),
    groups: (filter, limit) => desk.groups(filter, limit),
    get: (id) => desk.get(id),
    replay: (filter, by, limit) => desk.replay(filter, by, limit),
    markDue: (id, attempt) => desk.markDue(id, attempt),
    counts: () => desk.counts(),
    schemas: () => desk.schemas(),
    async discard(id, by, reason) {
      const letter = await desk.get(id);
      if (letter !== undefined && liveLetterStates.some((state) => state === letter.state))
        await answer(letter);
      await desk.discard(id, by, reason);
    },
  };
}
