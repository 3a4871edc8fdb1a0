import type { WalkState } from "./cursor.js";
import type { FleetTarget } from "./fleet.js";
import { type Failure, settle } from "./settle.js";

/** A page of one target's list. */
interface ListedPage<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/** A list that each target has, newest first. */
export interface MergedList<T> {
  /** Gives the pages of a target; `undefined` when nothing of it can be in the list. */
  open(target: FleetTarget): Promise<ListPages<T> | undefined>;
  /** What it is ordered by, ms since 1970. */
  at(item: T): number;
}

/** Reads a page. */
type ListPages<T> = (page: { readonly limit: number; readonly cursor?: string }) => Promise<ListedPage<T>>;

/** A page over several targets. */
interface MergedPage<T> {
  /** Newest first. */
  readonly found: readonly { readonly target: FleetTarget; readonly item: T }[];
  /** Where the next page begins; `undefined` when every target that answered is done. */
  readonly next: WalkState | undefined;
  /** Targets that didn't answer: they keep their place in `next`. */
  readonly failures: readonly Failure[];
}

interface Peek<T> {
  readonly target: FleetTarget;
  readonly pages: ListPages<T> | undefined;
  readonly cursor: string | null;
  readonly page: ListedPage<T>;
}

/** What a page takes of one target. `cursor` undefined: it is done. */
interface Part<T> {
  readonly target: FleetTarget;
  readonly items: readonly T[];
  readonly cursor: string | null | undefined;
}

/**
 * Merges the targets' lists, newest first.
 *
 * **Maintained invariant**: what is returned is exactly what lies before the returned cursors. Every target shows a full page first; the
 * newest of all say how many each contributes; a target that contributes only a part of its page is asked again for just that part, and
 * *that* answer is what is returned and whose cursor is kept. So what arrives in between may shift the order at a page's
 * edge, but none is lost and none comes twice.
 */
export async function mergedPage<T>(
  targets: readonly FleetTarget[],
  list: MergedList<T>,
  limit: number,
  from: WalkState,
): Promise<MergedPage<T>> {
  const open = targets.filter((target) => !from.done.includes(target.name));
  const cursorOf = (target: FleetTarget) => from.cursors[target.name] ?? null;
  const peeks = await settle(
    open,
    (target) => target,
    async (target): Promise<Peek<T>> => {
      const pages = await list.open(target);
      const cursor = cursorOf(target);
      return { target, pages, cursor, page: await read(pages, cursor, limit) };
    },
  );
  const shares = sharesOf(peeks.answers, list, limit);
  const parts = await settle(
    peeks.answers,
    (p) => p.target,
    (p) => take(p, shares.get(p) ?? 0),
  );
  const found = parts.answers
    .flatMap(({ target, items }) => items.map((item) => ({ target, item })))
    .sort((a, b) => list.at(b.item) - list.at(a.item));
  return {
    found,
    next: nextState(from, open, parts.answers),
    failures: [...peeks.failures, ...parts.failures],
  };
}

/** How many items of each peek are among the newest `limit` of all. */
function sharesOf<T>(peeks: readonly Peek<T>[], list: MergedList<T>, limit: number): Map<Peek<T>, number> {
  const all = peeks.flatMap((peek) => peek.page.items.map((item) => ({ peek, at: list.at(item) })));
  all.sort((a, b) => b.at - a.at); // stable: the order inside a target is the target's own
  const shares = new Map<Peek<T>, number>();
  for (const { peek } of all.slice(0, limit)) shares.set(peek, (shares.get(peek) ?? 0) + 1);
  return shares;
}

async function take<T>({ target, pages, cursor, page }: Peek<T>, share: number): Promise<Part<T>> {
  if (share === page.items.length) return { target, items: page.items, cursor: page.next };
  if (share === 0) return { target, items: [], cursor };
  const part = await read(pages, cursor, share);
  return { target, items: part.items, cursor: part.next };
}

async function read<T>(
  pages: ListPages<T> | undefined,
  cursor: string | null,
  limit: number,
): Promise<ListedPage<T>> {
  if (pages === undefined) return { items: [] };
  return pages(cursor === null ? { limit } : { limit, cursor });
}

function nextState(
  from: WalkState,
  open: readonly FleetTarget[],
  parts: readonly Part<unknown>[],
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
