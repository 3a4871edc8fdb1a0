import {
  comparePositions,
  LockstepError,
  positionOf,
  splitPosition,
  type ChangeLog,
  type LoggedEvent,
  type Op,
  type Position,
  type RegisteredTarget,
  type TableSchema,
} from "@lockstep/core";

/** A change for {@link MemoryLog.commit}. */
export interface Change {
  readonly key: string;
  readonly op?: Op;
  readonly image?: string;
  readonly before?: string;
  readonly table?: string;
  readonly audience?: readonly string[];
}

/** The schema of every table in the log. */
export const schema: TableSchema = {
  engine: "postgres",
  namespace: "public",
  name: "orders",
  columns: [
    { name: "id", type: "bigint", kind: "integer", nullable: false },
    { name: "note", type: "text", kind: "text", nullable: true },
  ],
  key: ["id"],
  fingerprint: "f1",
};

/** A log in memory with the faults a source can have; several relays may share it. */
export class MemoryLog implements ChangeLog {
  identity = "source-1";
  /** While set, every call fails as if the database were away. */
  isAway = false;
  /** Events in the order of the ticks, for comparison. */
  readonly committed: LoggedEvent[] = [];
  /** While set, a wait never ends, as over a connection that was cut without a word. */
  isDeaf = false;
  reads = 0;
  private uncut: Change[][] = [];
  private ticks: LoggedEvent[][] = [];
  private pruned = 0;
  private rows: RegisteredTarget[] = [];
  private kept: number | undefined;
  private leader: symbol | undefined;
  private loseLead: (() => void) | undefined;
  private waiters = new Set<() => void>();
  private transactions = 0;
  private total = 0;

  /** Commits transactions; the next cut sees them. */
  commit(...transactions: Change[][]): void {
    this.uncut.push(...transactions);
    for (const wake of this.waiters) wake();
  }

  /** Events committed, cut or not. */
  get events(): number {
    return this.committed.length + this.uncut.flat().length;
  }

  /** What the database would do when the leader's session ends. */
  endLeadersSession(): void {
    this.loseLead?.();
  }

  /** As the retention limit does: the target holds nothing back any more. */
  passBy(id: string): void {
    this.rows = this.rows.map((t) => (t.id === id ? { ...t, state: "needs-backfill" } : t));
  }

  /** A restore from a backup that ended after `ticks` ticks. */
  rewind(ticks: number): void {
    this.ticks.length = ticks;
    this.uncut = [];
    this.committed.splice(this.ticks.flat().length);
    this.total = this.ticks.flat().at(-1)?.total ?? 0;
    const top = this.topNow();
    this.rows = this.rows.map((t) => (comparePositions(t.position, top) > 0 ? { ...t, position: top } : t));
  }

  async incarnation(): Promise<string> {
    this.check();
    return this.identity;
  }

  async lead(): ReturnType<ChangeLog["lead"]> {
    this.check();
    if (this.leader !== undefined) return undefined;
    const me = Symbol("leader");
    this.leader = me;
    const free = (): void => {
      if (this.leader === me) this.leader = undefined;
    };
    const lost = new Promise<void>((resolve) => {
      this.loseLead = () => {
        free();
        resolve();
      };
    });
    return { lost, release: async () => free() };
  }

  async cut(): ReturnType<ChangeLog["cut"]> {
    this.check();
    const transactions = this.uncut;
    this.uncut = [];
    if (transactions.length === 0) return undefined;
    const tick = BigInt(this.ticks.length + 1);
    const events = transactions.flatMap((changes) => this.log(tick, changes));
    const numbered = events.map((e, i) => ({
      ...e,
      ordinal: i + 1,
      endsTick: i === events.length - 1,
      total: ++this.total,
    }));
    this.ticks.push(numbered);
    this.committed.push(...numbered);
    return { tick, events: events.length };
  }

  private log(tick: bigint, changes: Change[]): Omit<LoggedEvent, "ordinal" | "endsTick" | "total">[] {
    const id = String(++this.transactions);
    return changes.map(({ key, op = "insert", image, before, table = "orders", audience }, i) => ({
      tick,
      op,
      schema: schema.fingerprint,
      key: JSON.stringify([key]),
      ...(op === "delete" ? {} : { image: image ?? JSON.stringify([key, `note ${key}`]) }),
      ...(before === undefined ? {} : { before: JSON.stringify([before]) }),
      table: { namespace: "public", name: table },
      transaction: { id, at: 1_700_000_000_000, ...(audience && { audience }) },
      endsTransaction: i === changes.length - 1,
    }));
  }

  async top(): Promise<Position> {
    this.check();
    return this.topNow();
  }

  private topNow(): Position {
    return positionOf(this.ticks.length, this.ticks.at(-1)?.length ?? 0);
  }

  async barrier(): Promise<Position> {
    await this.cut();
    return this.top();
  }

  async prunedThrough(): Promise<Position> {
    this.check();
    return positionOf(this.pruned, this.ticks[this.pruned - 1]?.length ?? 0);
  }

  async *read(
    after: Position,
    { pageEvents = 100, signal }: { readonly pageEvents?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<readonly LoggedEvent[]> {
    this.reads++;
    const { tick, n } = splitPosition(after);
    const through = this.ticks.length;
    let page: LoggedEvent[] = [];
    for (let t = Math.max(Number(tick), 1); t <= through; t++) {
      this.check();
      const rest = this.ticks[t - 1]!.filter((e) => t > Number(tick) || BigInt(e.ordinal) > n);
      if (rest.length === 0) continue;
      if (t <= this.pruned) throw new LockstepError("HISTORY_GONE", `pruned through tick ${this.pruned}`);
      for (const event of rest) {
        page.push(event);
        if (page.length < pageEvents) continue;
        // Gives others a turn, as a query would.
        await new Promise(setImmediate);
        if (signal?.aborted) return;
        yield page;
        page = [];
      }
    }
    if (page.length > 0) yield page;
  }

  async schemas(): Promise<readonly TableSchema[]> {
    this.check();
    return [schema];
  }

  async partitions(): Promise<number | undefined> {
    this.check();
    return this.kept;
  }

  async keepPartitions(partitions: number): Promise<void> {
    this.check();
    this.kept = partitions;
  }

  async register(
    target: Pick<RegisteredTarget, "id" | "name" | "address" | "partition">,
  ): Promise<RegisteredTarget> {
    this.check();
    const known = this.rows.find((t) => t.id === target.id && t.partition === target.partition);
    const { id, name, address, partition } = target;
    const row: RegisteredTarget = known
      ? { ...known, name, address }
      : { id, name, address, partition, position: this.topNow(), state: "following", seenAt: 0 };
    this.rows = [...this.rows.filter((t) => t !== known), row];
    return row;
  }

  async acknowledge(
    acks: readonly { readonly id: string; readonly partition: number; readonly position: Position }[],
  ): Promise<void> {
    this.check();
    for (const { id, partition, position } of acks) {
      this.rows = this.rows.map((t) =>
        t.id === id && t.partition === partition && comparePositions(position, t.position) > 0
          ? { ...t, position }
          : t,
      );
    }
  }

  async targets(): Promise<readonly RegisteredTarget[]> {
    this.check();
    return this.rows;
  }

  async removeTarget(idOrName: string): Promise<number> {
    const before = this.rows.length;
    this.rows = this.rows.filter((t) => t.id !== idOrName && t.name !== idOrName);
    return before - this.rows.length;
  }

  async prune(): Promise<number> {
    this.check();
    const following = this.rows.filter((t) => t.state === "following");
    if (following.length === 0) return 0;
    const whole = following.map(({ position }) => {
      const { tick, n } = splitPosition(position);
      const events = this.ticks[Number(tick) - 1]?.length ?? 0;
      return n >= BigInt(events) ? Number(tick) : Number(tick) - 1;
    });
    const through = Math.min(this.ticks.length, ...whole);
    const gone = this.ticks.slice(this.pruned, Math.max(this.pruned, through)).flat().length;
    this.pruned = Math.max(this.pruned, through);
    return gone;
  }

  async backlog(): Promise<{ events: number; oldestMs: number }> {
    this.check();
    return { events: this.ticks.slice(this.pruned).flat().length, oldestMs: 0 };
  }

  async wait(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    this.check();
    if (this.isDeaf) return new Promise(() => undefined);
    if (this.uncut.length > 0 || signal?.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        this.waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal?.addEventListener("abort", done);
      this.waiters.add(done);
    });
  }

  async close(): Promise<void> {}

  private check(): void {
    if (this.isAway) throw new LockstepError("SOURCE_UNAVAILABLE", "the source database can't be reached");
  }
}
