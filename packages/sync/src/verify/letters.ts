import { type LetterDesk, liveLetterStates, type Sealer } from "@lockstep/core";

/** Keys (JSON) of a table's rows that have a live letter. */
export type LetteredKeys = (table: string) => Promise<ReadonlySet<string>>;

const pageSize = 500;

/** Asks a target's desk about the letters of one source; `sealer` opens the keys that the target is not to see. */
export function letteredKeys(
  desk: Pick<LetterDesk, "list">,
  source: string,
  sealer: Pick<Sealer, "open"> | undefined,
): LetteredKeys {
  return async (table) => {
    const keys = new Set<string>();
    let cursor: string | undefined;
    do {
      const filter = { source, table, states: liveLetterStates };
      const page = await desk.list(filter, { limit: pageSize, ...(cursor !== undefined && { cursor }) });
      for (const { key } of page.letters) keys.add(sealer === undefined ? key : opened(key, sealer));
      cursor = page.next;
    } while (cursor !== undefined);
    return keys;
  };
}

function opened(key: string, sealer: Pick<Sealer, "open">): string {
  return JSON.stringify((JSON.parse(key) as string[]).map((text) => sealer.open(text)));
}
