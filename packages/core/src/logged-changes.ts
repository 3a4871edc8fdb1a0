import { countOf, isPacked, unpackChanges } from "./packed-changes.js";
import type { LoggedChanges, LoggedEvent, LoggedPack } from "./ports/change-log.js";

/** What a log gives, event by event. Pure. */
export function eventsOf(logged: readonly LoggedChanges[]): readonly LoggedEvent[] {
  return logged.some(isPacked)
    ? logged.flatMap((changes) => (isPacked(changes) ? unpackLogged(changes) : changes))
    : (logged as readonly LoggedEvent[]);
}

/** Place in the tick of the first of them. Pure. */
export function firstOrdinalOf(logged: LoggedChanges): number {
  return logged.ordinal - countOf(logged) + 1;
}

/** What follows ordinal `n` of tick `tick`; of packed changes that place may be in the midst of, those that do. Pure. */
export function following(
  logged: readonly LoggedChanges[],
  tick: bigint,
  n: number,
): readonly LoggedChanges[] {
  const isBehind = (changes: LoggedChanges, ordinal: number): boolean =>
    changes.tick > tick || (changes.tick === tick && ordinal > n);
  if (logged.length === 0 || isBehind(logged[0]!, firstOrdinalOf(logged[0]!))) return logged;
  return logged
    .filter((changes) => isBehind(changes, changes.ordinal))
    .flatMap((changes) =>
      isBehind(changes, firstOrdinalOf(changes))
        ? changes
        : eventsOf([changes]).filter(({ ordinal }) => ordinal > n),
    );
}

function unpackLogged(pack: LoggedPack): LoggedEvent[] {
  const { tick, table, transaction, count } = pack;
  return unpackChanges(pack).map((change, i) => {
    const isLast = i === count - 1;
    return {
      ...change,
      tick,
      table,
      transaction,
      endsTransaction: isLast && pack.endsTransaction,
      endsTick: isLast && pack.endsTick,
      total: pack.total - count + 1 + i,
    };
  });
}
