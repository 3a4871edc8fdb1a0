import type { DeadLetter } from "@lockstep/core";
import type { MergedList } from "../fleet/merged-page.js";
import { filterFor, type LetterQuery } from "./letter-query.js";
import type { Shade } from "./shade.js";

/** The letters that a query is about, newest failure first. */
export function letterList(query: LetterQuery, shade: Shade): MergedList<DeadLetter> {
  return {
    at: ({ lastFailedAt }) => lastFailedAt,
    async open(target) {
      const filter = await filterFor(target, query, shade);
      if (filter === undefined) return undefined;
      return async (page) => {
        const { letters, next } = await target.door.ask(() => target.target.letters.list(filter, page));
        return { items: letters, ...(next !== undefined && { next }) };
      };
    },
  };
}
