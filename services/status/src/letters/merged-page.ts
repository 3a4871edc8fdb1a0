import type { DeadLetter, LetterDesk, LetterFilter } from "@lockstep/core";
import type { FleetTarget } from "../fleet/fleet.js";
import { type Failure, settle } from "../fleet/settle.js";
import type { WalkState } from "./cursor.js";
import { filterFor, type LetterQuery } from "./letter-query.js";
import type { Shade } from "./shade.js";

/** A letter and where it lies. */
interface FoundLetter {
  readonly target: FleetTarget;
  readonly letter: DeadLetter;
}

/** A page over several targets. */
export interface MergedPage {
  /** Newest failure first. */
  readonly letters: readonly FoundLetter[];
  /** Where the next page begins; `undefined` when every target that answered is done. */
  readonly next: WalkState | undefined;
  /** Targets that didn't answer: they keep their place in `next`. */
  readonly failures: readonly Failure[];
}

interface Peek {
  readonly target: FleetTarget;
  /** `undefined`: no letter of this target can match. */
  readonly filter: LetterFilter | undefined;
  readonly cursor: string | null;
  readonly page: TargetPage;
}

type TargetPage = Awaited<ReturnType<LetterDesk["list"]>>;

/** What a page takes of one target. `cursor` undefined: it is done. */
interface Part {
  readonly target: FleetTarget;
  readonly letters: readonly DeadLetter[];
  readonly cursor: string | null | undefined;
}

/**
 * Merges the targets' lists, newest failure first.
 *
 * **Maintained invariant**: what is returned is exactly what lies before the returned cursors. Every target shows a full page first; the
 * newest of all say how many each contributes; a target that contributes only a part of its page is asked again for just that part, and
 * *that* answer is what is returned and whose cursor is kept. So a letter that arrives in between may shift the order at a page's
 * edge, but none is lost and none comes twice.
 */
export async function mergedPage(
  targets: readonly FleetTarget[],
  query: LetterQuery,
  limit: number,
  from: WalkState,
  shade: Shade,
): Promise<MergedPage> {
  const open = targets.filter((target) => !from.done.includes(target.name));
  const cursorOf = (target: FleetTarget) => from.cursors[target.name] ?? null;
  const peeks = await settle(
    open,
    (target) => target,
    async (target): Promise<Peek> => {
      const filter = await filterFor(target, query, shade);
      const cursor = cursorOf(target);
      return { target, filter, cursor, page: await list(target, filter, cursor, limit) };
    },
  );
  const shares = sharesOf(peeks.answers, limit);
  const parts = await settle(
    peeks.answers,
    (p) => p.target,
    (p) => take(p, shares.get(p) ?? 0),
  );
  const letters = parts.answers
    .flatMap(({ target, letters }) => letters.map((letter) => ({ target, letter })))
    .sort((a, b) => b.letter.lastFailedAt - a.letter.lastFailedAt);
  return {
    letters,
    next: nextState(from, open, parts.answers),
    failures: [...peeks.failures, ...parts.failures],
  };
}

/** How many letters of each peek are among the newest `limit` of all. */
function sharesOf(peeks: readonly Peek[], limit: number): Map<Peek, number> {
  const all = peeks.flatMap((peek) => peek.page.letters.map((letter) => ({ peek, at: letter.lastFailedAt })));
  all.sort((a, b) => b.at - a.at); // stable: the order inside a target is the target's own
  const shares = new Map<Peek, number>();
  for (const { peek } of all.slice(0, limit)) shares.set(peek, (shares.get(peek) ?? 0) + 1);
  return shares;
}

async function take({ target, filter, cursor, page }: Peek, share: number): Promise<Part> {
  if (share === page.letters.length) return { target, letters: page.letters, cursor: page.next };
  if (share === 0) return { target, letters: [], cursor };
  const part = await list(target, filter, cursor, share);
  return { target, letters: part.letters, cursor: part.next };
}

async function list(
  target: FleetTarget,
  filter: LetterFilter | undefined,
  cursor: string | null,
  limit: number,
): Promise<TargetPage> {
  if (filter === undefined) return { letters: [] };
  return target.door.ask(() =>
    target.target.letters.list(filter, cursor === null ? { limit } : { limit, cursor }),
  );
}

function nextState(
  from: WalkState,
  open: readonly FleetTarget[],
  parts: readonly Part[],
): WalkState | undefined {
  if (!parts.some((part) => part.cursor !== undefined)) return undefined;
  const cursors: Record<string, string | null> = {};
  const done = [...from.done];
  for (const target of open) {
    const part = parts.find((p) => p.target === target);
    if (part === undefined) cursors[target.name] = from.cursors[target.name] ?? null;
    else if (part.cursor === undefined) done.push(target.name);
    else cursors[target.name] = part.cursor;
  }
  return { cursors, done };
}
