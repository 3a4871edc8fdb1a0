import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { isLockstepError, LockstepError } from "@lockstep/core";
import type { DataSource, EntityManager } from "typeorm";
import { inTime, untilItHas } from "./freshness/until-it-has.js";
import { isGone } from "./gone.js";
import { loadedRows } from "./loaded-rows.js";
import { readDefaults, type ReadOptions, type ReplicaChoice } from "./options.js";
import { readOn } from "./read-on.js";
import { type OutOfRotation, Replica } from "./replica.js";
import type { PrimaryReason, ReadStatus } from "./status.js";
import { Request, type Requests } from "./request.js";
import { noteWrites } from "./note-writes.js";
import { invalid, readToken, writeToken } from "./token.js";
import { watch } from "./watch.js";

/** Reads spread over replicas. Disposing it ends the looking; the DataSources stay open. */
export interface ReplicaReads extends AsyncDisposable {
  /**
   * Runs `work`, which only reads, on a replica that is fresh enough and holds what this request wrote and has seen; else on the primary. On a replica that turns out to be
   * away `work` runs once more elsewhere. `primary`: on the primary, for what must be current.
   * @throws LockstepError REPLICA_READ_ONLY when `work` writes or locks; READ_TOKEN_INVALID when the request's token says nothing about any replica; what `work` throws.
   */
  read<T>(work: (manager: EntityManager) => Promise<T>, options?: { readonly primary?: boolean }): Promise<T>;
  /**
   * Runs a request: its reads see its own writes, and never go back. Inside of another one it is part of that. `token`: what another request or service has written and seen.
   * @throws LockstepError READ_TOKEN_INVALID.
   */
  request<T>(work: () => Promise<T>, options?: { readonly token?: string | undefined }): Promise<T>;
  /**
   * What this request has written and seen, for {@link request} elsewhere, by a header; `undefined` when there is nothing.
   * @throws LockstepError CONFIG_INVALID outside of a request; what the primary throws when it can't tell.
   */
  token(): Promise<string | undefined>;
  /** Says that this request has written something that TypeORM's statements don't show: a function that writes, another client. */
  wrote(): void;
  status(): ReadStatus;
}

/**
 * Spreads reads over replicas. Writes, transactions and locking reads stay on the primary: they don't come this way. An entity that came from a replica and is saved is
 * kept from writing the replica's older columns back.
 * @throws LockstepError CONFIG_INVALID.
 */
export function replicaReads(primary: DataSource, options: ReadOptions): ReplicaReads {
  const { maxLagMs, waitMs } = { ...readDefaults, ...options };
  check(primary, options, { maxLagMs, waitMs });
  const replicas = Object.entries(options.replicas).map(
    ([name, { dataSource, freshness }]) => new Replica(name, dataSource, freshness),
  );
  return new Router(primary, replicas, { maxLagMs, waitMs, report: options.report });
}

const closeMs = 1_000;
const reportEveryMs = 3_000;

interface RouterOptions {
  readonly maxLagMs: number;
  readonly waitMs: number;
  readonly report: ReadOptions["report"];
}

class Router implements ReplicaReads {
  readonly #primary: DataSource;
  readonly #replicas: readonly Replica[];
  readonly #maxLagMs: number;
  readonly #waitMs: number;
  readonly #requests: Requests = new AsyncLocalStorage();
  readonly #stop = new AbortController();
  readonly #looking: readonly Promise<void>[];
  readonly #undo: readonly (() => void)[];
  readonly #reasons = new Map<PrimaryReason, number>();
  #next = 0;

  constructor(
    primary: DataSource,
    replicas: readonly Replica[],
    { maxLagMs, waitMs, report }: RouterOptions,
  ) {
    this.#primary = primary;
    this.#replicas = replicas;
    this.#maxLagMs = maxLagMs;
    this.#waitMs = waitMs;
    const { ofReplica, ofPrimary } = loadedRows();
    this.#undo = [
      watch(primary, ofPrimary),
      watch(primary, noteWrites(primary, this.#requests)),
      ...[...new Set(replicas.map(({ dataSource }) => dataSource))].map((one) => watch(one, ofReplica)),
    ];
    // What a look finds is as old as the time between looks.
    const lookEveryMs = Math.min(1_000, Math.max(5, maxLagMs / 4));
    this.#looking = [
      ...replicas.map((replica) => this.#repeat(lookEveryMs, () => replica.look())),
      ...(report ? [this.#repeat(reportEveryMs, () => report(this.status()))] : []),
    ];
  }

  async read<T>(
    work: (manager: EntityManager) => Promise<T>,
    { primary = false }: { readonly primary?: boolean } = {},
  ): Promise<T> {
    if (primary) return this.#onPrimary(work, "asked");
    const request = this.#requests.getStore();
    // A replica that turns out to be away is tried once, also where a look finds it meanwhile.
    const away = new Set<Replica>();
    for (;;) {
      const chosen = await this.#choose(request, away);
      if (!(chosen instanceof Replica)) return this.#onPrimary(work, chosen);
      try {
        request?.shows(chosen);
        const result = await readOn(chosen.dataSource, work);
        chosen.reads++;
        return result;
      } catch (error) {
        if (!isGone(error)) throw error;
        chosen.isGone(error);
        away.add(chosen);
      } finally {
        request?.shows(chosen);
      }
    }
  }

  request<T>(work: () => Promise<T>, { token }: { readonly token?: string | undefined } = {}): Promise<T> {
    const marks = token === undefined ? undefined : readToken(token);
    if (marks && !this.#replicas.some(({ freshness }) => marks.has(freshness.space))) {
      throw invalid("it comes from another source, or one with other replicas");
    }
    const outer = this.#requests.getStore();
    // What the token stands for is committed: a mark of now, which the outer one takes next, holds that too.
    if (marks) outer?.need();
    return this.#requests.run(outer ?? new Request(marks), work);
  }

  async token(): Promise<string | undefined> {
    const request = this.#requests.getStore();
    if (request === undefined) {
      throw new LockstepError("CONFIG_INVALID", "there is a token only inside of reads.request(…)");
    }
    if (request.needs === 0) return undefined;
    const spaces = new Map(this.#replicas.map(({ freshness }) => [freshness.space, freshness]));
    const asked = await Promise.allSettled(
      [...spaces].map(async ([space, { mark }]) => [space, request.markIn(space) ?? (await mark())] as const),
    );
    const marks = asked.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    // In a space that is left out, whoever gets the token takes a mark of its own: a later one.
    if (marks.length > 0) return writeToken(new Map(marks));
    throw (asked[0] as PromiseRejectedResult).reason;
  }

  wrote(): void {
    this.#requests.getStore()?.need();
  }

  status(): ReadStatus {
    return {
      replicas: Object.fromEntries(
        this.#replicas.map((replica) => {
          const { name, lagMs, reads, why } = replica;
          const state = replica.standing(this.#maxLagMs);
          const reason = state === "in" ? undefined : why;
          return [
            name,
            { state, ...(reason !== undefined && { reason }), ...(lagMs !== undefined && { lagMs }), reads },
          ];
        }),
      ),
      primary: {
        reads: [...this.#reasons.values()].reduce((sum, n) => sum + n, 0),
        reasons: Object.fromEntries(this.#reasons),
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const undo of this.#undo) undo();
    // One that doesn't answer isn't waited for.
    await inTime(Promise.all(this.#looking), performance.now() + closeMs);
    await Promise.all(this.#replicas.map(({ freshness }) => freshness.close()));
  }

  /** The replica to read from, or why the primary is. */
  async #choose(request: Request | undefined, away: ReadonlySet<Replica>): Promise<Replica | PrimaryReason> {
    const inRotation = this.#inTurn().filter((replica) => !away.has(replica));
    if (inRotation.length === 0) return away.size > 0 ? "down" : this.#whyNone();
    if (request === undefined) return inRotation[0]!;
    const known = inRotation.find((replica) => request.isHeldBy(replica));
    if (known) return known;
    const now = performance.now();
    if (!request.isPatient(now)) return "behind";
    const chosen = await this.#firstThatHolds(request, inRotation, now + this.#waitMs);
    if (chosen === undefined) request.waited(now, this.#waitMs);
    return chosen ?? "behind";
  }

  /** Those that may be read from, in turn. A request that has read holds to where it did: the others must be asked. */
  #inTurn(): readonly Replica[] {
    const all = this.#replicas.filter((replica) => replica.standing(this.#maxLagMs) === "in");
    const from = all.length === 0 ? 0 : this.#next++ % all.length;
    return [...all.slice(from), ...all.slice(0, from)];
  }

  #whyNone(): OutOfRotation {
    const states = this.#replicas.map((replica) => replica.standing(this.#maxLagMs));
    const [why] = (["lagging", "down", "unseeded"] as const).filter((state) => states.includes(state));
    return why ?? "unknown";
  }

  /** The first in the list that comes to hold what the request needs. All of them are asked side by side. */
  async #firstThatHolds(
    request: Request,
    replicas: readonly Replica[],
    deadline: number,
  ): Promise<Replica | undefined> {
    const { needs } = request;
    const asked = replicas.map(async (replica) => {
      const mark = await this.#markFor(request, replica, deadline);
      if (!(await untilItHas(replica.freshness, mark, deadline))) throw new Error("behind");
      request.heldBy(replica, needs);
      return replica;
    });
    return Promise.any(asked).catch((error: AggregateError) => {
      const refused: unknown = error.errors.find(isTokenInvalid);
      if (refused !== undefined && error.errors.every(isTokenInvalid)) throw refused;
      return undefined;
    });
  }

  async #markFor(request: Request, { freshness }: Replica, deadline: number): Promise<string> {
    const known = request.markIn(freshness.space);
    if (known !== undefined) return known;
    const { needs } = request;
    const mark = await inTime(freshness.mark(), deadline);
    if (mark === undefined) throw new Error("behind");
    request.marked(freshness.space, needs, mark);
    return mark;
  }

  async #onPrimary<T>(work: (manager: EntityManager) => Promise<T>, reason: PrimaryReason): Promise<T> {
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    // What it shows may be newer than any replica, and than a mark that a read beside it takes meanwhile.
    const request = this.#requests.getStore();
    request?.need();
    try {
      return await readOn(this.#primary, work);
    } finally {
      request?.need();
    }
  }

  async #repeat(everyMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await work().catch(() => undefined);
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function isTokenInvalid(error: unknown): boolean {
  return isLockstepError(error) && error.code === "READ_TOKEN_INVALID";
}

function check(
  primary: DataSource,
  { replicas = {}, report }: ReadOptions,
  limits: { readonly maxLagMs: number; readonly waitMs: number },
): void {
  const wrong = Object.entries(limits).flatMap(([name, value]) =>
    Number.isFinite(value) && value >= 0 ? [] : [`${name} must be a number of milliseconds`],
  );
  if (Object.keys(replicas).length === 0) wrong.push("replicas must name at least one");
  if (!primary.isInitialized) wrong.push("the primary's DataSource must be initialized first");
  if (report !== undefined && typeof report !== "function") wrong.push("report must be a function");
  for (const [name, choice] of Object.entries(replicas) as [string, Partial<ReplicaChoice> | undefined][]) {
    if (choice?.dataSource === undefined) wrong.push(`replicas.${name} has no dataSource`);
    if (choice?.dataSource === primary) wrong.push(`replicas.${name} is the primary itself`);
    if (typeof choice?.freshness?.has !== "function")
      wrong.push(`replicas.${name}: nothing can tell how fresh it is; give it a freshness`);
  }
  if (wrong.length > 0) throw new LockstepError("CONFIG_INVALID", wrong.join("; "));
}
