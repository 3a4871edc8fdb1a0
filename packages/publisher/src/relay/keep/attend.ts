import {
  comparePositions,
  isLockstepError,
  type Position,
  type RegisteredTarget,
  type TargetAnnouncement,
} from "@lockstep/core";
import type { CatchUp } from "../catch-up.js";
import { isHistoryGone } from "../feed/followers.js";
import type { RelayContext, Term } from "../relay-context.js";
import { endCatchUp, startCatchUp, type RunningCatchUp } from "./running-catch-up.js";

/** Attends to what lanes ask for: registration and catch-up. */
export interface Attendant {
  /** Answers announcements, starts and ends catch-up streams. */
  attend(): Promise<void>;
  /** Ends all catch-up streams. */
  end(): Promise<void>;
}

/** What was answered, what runs, and who asked for history that is gone (and how far it was registered then). By lane. */
interface Desk {
  readonly confirmedAt: Map<string, number>;
  readonly running: Map<string, RunningCatchUp>;
  readonly gone: Map<string, Position>;
}

/** How often an answer is given again: Redis may have lost it. */
const confirmAgainMs = 1_000;

const keyOf = ({ id, partition }: { readonly id: string; readonly partition: number }): string =>
  `${id}:${partition}`;

/** Keeps what was answered and which catch-up streams run. */
export function openAttendant(context: RelayContext, term: Term): Attendant {
  const desk: Desk = { confirmedAt: new Map(), running: new Map(), gone: new Map() };
  return {
    async attend() {
      for (const target of await context.stream.announcements()) await answer(context, term, desk, target);
      await attendCatchUps(context, term, desk);
    },
    async end() {
      await Promise.all([...desk.running.values()].map(endCatchUp));
    },
  };
}

async function answer(
  context: RelayContext,
  term: Term,
  desk: Desk,
  target: TargetAnnouncement,
): Promise<void> {
  const { elapsed, partitions, logger, source } = context;
  const isRecent = elapsed() - (desk.confirmedAt.get(keyOf(target)) ?? -Infinity) < confirmAgainMs;
  if (isRecent || target.partition >= partitions) return;
  try {
    const known = registrationOf(term, target);
    // Looked up once a second: one that was passed by may have begun anew since, and would halt for half a minute if it were told the old.
    const row = known?.state === "following" ? known : await register(context, term, target, known);
    await confirm(context, term, desk, row);
    desk.confirmedAt.set(keyOf(target), elapsed());
  } catch (error) {
    // What concerns this target alone must not keep the others waiting.
    if (!isLockstepError(error) || error.recovery === "retry") throw error;
    logger.warn({ source, target: target.name, code: error.code }, "target refused");
  }
}

function registrationOf(term: Term, target: TargetAnnouncement): RegisteredTarget | undefined {
  const row = term.registered.find((t) => t.id === target.id && t.partition === target.partition);
  return row?.name === target.name && row.address === target.address ? row : undefined;
}

async function register(
  { log, logger, source }: RelayContext,
  term: Term,
  { id, name, address, partition }: TargetAnnouncement,
  known?: RegisteredTarget,
): Promise<RegisteredTarget> {
  const row = await log.register({ id, name, address, partition });
  term.registered = [...term.registered.filter((t) => keyOf(t) !== keyOf(row)), row];
  if (known === undefined)
    logger.info({ source, target: name, id, partition, position: row.position }, "target registered");
  return row;
}

async function confirm(
  { stream, partitions }: RelayContext,
  { ahead, incarnation }: Term,
  { gone }: Desk,
  row: RegisteredTarget,
): Promise<void> {
  const isLost = ahead.has(row.id) || gone.get(keyOf(row)) === row.position;
  const state = isLost ? "needs-backfill" : row.state;
  await stream.confirm(row, { start: row.position, incarnation, partitions, state });
}

async function attendCatchUps(context: RelayContext, term: Term, desk: Desk): Promise<void> {
  // Looked at before the wishes are read: a feed is trimmed by acknowledgements, and a wish moves along with them, so that only a lane that
  // went back asks for what is trimmed.
  const trimmed = new Map([...desk.running].map(([key, { feed }]) => [key, feed.trimmedThrough]));
  const wanted = await wantedCatchUps(context);
  // A lane that no longer asks has begun elsewhere: what it once asked for says nothing of where it is now.
  for (const key of desk.gone.keys()) if (!wanted.has(key)) desk.gone.delete(key);
  for (const [key, running] of desk.running) {
    const after = wanted.get(key)?.after;
    const isServed = after !== undefined && leadsOn(after, trimmed.get(key)!, running.feed.last);
    if (!isServed) await endCatchUp(running);
  }
  for (const [key, wish] of wanted) {
    if (desk.running.has(key) || !(await isAvailable(context, term, desk, wish))) continue;
    const forget = (): void => void desk.running.delete(key);
    desk.running.set(key, await startCatchUp(context, term, wish, forget));
  }
}

function leadsOn(after: Position, trimmedThrough: Position, last: Position): boolean {
  return comparePositions(after, trimmedThrough) >= 0 && comparePositions(after, last) <= 0;
}

async function wantedCatchUps({ stream, partitions }: RelayContext): Promise<Map<string, CatchUp>> {
  const wanted = new Map<string, CatchUp>();
  for (let partition = 0; partition < partitions; partition++) {
    for (const [target, after] of await stream.catchUps(partition)) {
      wanted.set(keyOf({ id: target, partition }), { target, partition, after });
    }
  }
  return wanted;
}

/** False when the source no longer holds what the lane needs; the lane is told. */
async function isAvailable(context: RelayContext, term: Term, desk: Desk, wish: CatchUp): Promise<boolean> {
  const row = term.registered.find((t) => t.id === wish.target && t.partition === wish.partition);
  if (row === undefined || row.state === "needs-backfill" || term.ahead.has(row.id)) return false;
  if (!isHistoryGone(wish.after, row.position, await context.log.prunedThrough())) {
    desk.gone.delete(keyOf(row));
    return true;
  }
  desk.gone.set(keyOf(row), row.position);
  await confirm(context, term, desk, row);
  return false;
}
