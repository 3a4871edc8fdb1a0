import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { LockstepError } from "@lockstep/core";
import type { DataSource, EntityManager } from "typeorm";
import { firstThatHolds } from "./first-that-holds.js";
import { inTime } from "./freshness/until-it-has.js";
import { isGone } from "./gone.js";
import { type InsideTransaction, watchTransactions } from "./inside-transaction.js";
import { loadedRows } from "./loaded-rows.js";
import { noteWrites } from "./note-writes.js";
import type { ReadOptions } from "./options.js";
import { readOn } from "./read-on.js";
import type { ReplicaReads } from "./replica-reads.js";
import { type OutOfRotation, Replica } from "./replica.js";
import { Request, type Requests } from "./request.js";
import { type PrimaryReason, type ReadStatus, statusOf } from "./status.js";
import { invalid, readToken, writeToken } from "./token.js";
import { watch } from "./watch.js";

const closeMs = 1_000;
const reportEveryMs = 3_000;

interface RouterOptions {
  readonly maxLagMs: number;
  readonly waitMs: number;
  readonly report: ReadOptions["report"];
}

/** Decides for each read where it goes, and sends it there. */
export class Router implements ReplicaReads {
  readonly #primary: DataSource;
  readonly #replicas: readonly Replica[];
  readonly #maxLagMs: number;
  readonly #waitMs: number;
  readonly #requests: Requests = new AsyncLocalStorage();
  readonly #stop = new AbortController();
  readonly #looking: readonly Promise<void>[];
  readonly #undo: readonly (() => void)[];
  readonly #reasons = new Map<PrimaryReason, number>();
  readonly #transactions: InsideTransaction;
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
    this.#transactions = watchTransactions(primary);
    this.#transactions.begin();
    const { ofReplica, ofPrimary } = loadedRows();
    this.#undo = [
      () => this.#transactions.stop(),
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
    this.#refuseInTransaction();
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
    this.#refuseInTransaction();
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
    return statusOf(this.#replicas, this.#maxLagMs, this.#reasons);
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
    const deadline = performance.now() + this.#waitMs;
    return (await firstThatHolds(request, inRotation, deadline)) ?? "behind";
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

  // Neither a replica nor another connection to the primary sees what isn't committed, and a second connection for one piece of work may find the pool empty for ever.
  #refuseInTransaction(): void {
    if (this.#transactions.isInside())
      throw new LockstepError("READ_IN_TRANSACTION", "read from elsewhere inside an open transaction");
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
