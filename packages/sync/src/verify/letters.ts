import { type LetterDesk, liveLetterStates } from "@lockstep/core";

/** Keys (JSON) of a table's rows that have a live letter. */
export type LetteredKeys = (table: string) => Promise<ReadonlySet<string>>;

const pageSize = 500;

/** Asks a target's desk about the letters of one source. */
export function letteredKeys(desk: Pick<LetterDesk, "list">, source: string): LetteredKeys {
  return async (table) => {
    const keys = new Set<string>();
    let cursor: string | undefined;
    do {
      const filter = { source, table, states: liveLetterStates };
      const page = await desk.list(filter, { limit: pageSize, ...(cursor !== undefined && { cursor }) });
      for (const { key } of page.letters) keys.add(key);
      cursor = page.next;
    } while (cursor !== undefined);
    return keys;
  };
}
