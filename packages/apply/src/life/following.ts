import { type Batch, batchOf, countRows } from "../batch/batch.js";
import { cutBatch } from "../batch/cut-batch.js";
import type { Intake } from "../intake/intake.js";
import { inApplySpan, type SpanAttributes } from "../telemetry.js";
import type { Applier } from "../write/applier.js";
import type { Ledger } from "../write/ledger.js";
import { schemasOf } from "../write/staged-lines.js";
import { laneFields, type OwnedLane } from "./lane-room.js";
import { scheduleLetters } from "./letter-upkeep.js";
import { pausedByPerson } from "./phase.js";
import { sessionLost } from "./session-lost.js";
import { Upkeep } from "./upkeep.js";

const idleMs = 1_000;

/** The loop of an owned lane: take what is there, apply it, look after the rest, wait. */
export class Following {
  readonly #upkeep: Upkeep;
  /** Taken from the intake and not yet applied. */
  #next: Batch | undefined;
  #current: Batch | undefined;
  #waitsSince: number | undefined;

  constructor(
    private readonly lane: OwnedLane,
    private readonly applier: Applier,
    private readonly intake: Intake,
  ) {
    this.#upkeep = new Upkeep(lane, applier);
    lane.room.status.checkpoint = applier.checkpoint;
    lane.room.status.oldestAt = () => this.#oldestAt();
    this.#reached();
  }

  async run(): Promise<void> {
    const { room, lost } = this.lane;
    while (!room.stopping.aborted) {
      if (lost()) throw sessionLost();
      if (this.intake.failure !== undefined) throw this.intake.failure;
      await this.#upkeep.look();
      if (!(await this.#work()))
        await room.bell.wait(this.#waitsSince === undefined ? idleMs : room.limits.partTimeoutMs);
    }
  }

  /** One step, if there is anything to do. */
  async #work(): Promise<boolean> {
    const { status } = this.lane.room;
    if (this.applier.checkpoint.paused) {
      status.phase = { name: "paused", reason: pausedByPerson };
      return false;
    }
    const { catchingUp, trouble } = this.intake;
    const reason = trouble === undefined ? {} : { reason: { code: trouble.code, message: trouble.message } };
    status.phase = { name: catchingUp ? "catching-up" : "running", ...reason };
    if (this.#upkeep.lettersDue || this.applier.hasUnreleased) await this.#writeLetters();
    const batch = this.#next ?? this.#take();
    if (batch === undefined) return false;
    this.#next = undefined;
    this.#current = batch;
    await this.#apply(batch);
    this.#current = undefined;
    return true;
  }

  async #writeLetters(): Promise<void> {
    const before = this.applier.checkpoint.recordsSynced;
    const { ledger, more } = await this.applier.writeDueLetters();
    this.#upkeep.lettersDue = more;
    this.#settled(ledger);
    const { checkpoint } = this.applier;
    if (ledger.resolved.size > 0)
      this.lane.room.status.applied(checkpoint, checkpoint.recordsSynced - before, []);
  }

  async #apply(batch: Batch): Promise<void> {
    const { status, faults } = this.lane.room;
    const { recordsSynced, stagedThrough } = this.applier.checkpoint;
    let ledger: Ledger;
    if (batch.continues) {
      ledger = await this.applier.stage(batch);
    } else if (stagedThrough !== undefined) {
      await this.applier.learn(batch);
      ledger = await inApplySpan(batch.transactions, this.#attributes(batch), () =>
        this.applier.applyStaged(batch),
      );
    } else {
      await this.applier.prepare(batch);
      const rows = countRows(batch.segments ?? []);
      ledger = await inApplySpan(
        batch.transactions,
        { ...this.#attributes(batch), "lockstep.rows": rows },
        () => this.applier.apply(batch, () => this.#takeAhead()),
      );
    }
    faults.count = 0;
    const { checkpoint } = this.applier;
    const written = checkpoint.recordsSynced - recordsSynced;
    status.applied(checkpoint, written, batch.continues ? [] : batch.transactions);
    this.#reached();
    this.#settled(ledger);
  }

  /** While the target is busy: takes and collapses the next batch when a whole one lies ready. */
  #takeAhead(): void {
    if (this.#next !== undefined || !this.intake.full) return;
    const batch = this.#take();
    if (batch === undefined) return;
    this.#next = batch;
    if (!batch.continues) this.applier.collapse(batch);
  }

  #take(): Batch | undefined {
    const { limits, elapsed } = this.lane.room;
    const { entries } = this.intake.queue;
    if (entries.length === 0) return undefined;
    const staging = this.applier.checkpoint.stagedThrough !== undefined;
    // The relay can't send the next part before earlier ones are acknowledged when its stream is full: stage what is here.
    const late = this.#waitsSince !== undefined && elapsed() - this.#waitsSince >= limits.partTimeoutMs;
    const cut = cutBatch(entries, limits, staging || late);
    if (cut.kind === "wait") {
      this.#waitsSince ??= elapsed();
      return undefined;
    }
    this.#waitsSince = undefined;
    const taken = this.intake.take(cut.count);
    return batchOf(taken, schemasOf(taken), cut.kind === "stage");
  }

  #settled(ledger: Ledger): void {
    const { room } = this.lane;
    room.status.decided(ledger);
    if (ledger.put.size === 0 && ledger.resolved.size === 0) return;
    room.status.refused(ledger);
    this.#upkeep.lettersChanged();
    if (ledger.put.size === 0) return;
    room.logger.warn({ ...laneFields(room), letters: ledger.put.size }, "rows set aside");
    void scheduleLetters(room, ledger);
  }

  #reached(): void {
    const { position, stagedThrough } = this.applier.checkpoint;
    const { acks, status } = this.lane.room;
    acks.reached(status.targetId, stagedThrough ?? position);
  }

  #oldestAt(): number | undefined {
    const first = this.#current ?? this.#next;
    const transactions = first?.transactions ?? [];
    if (transactions.length > 0) return transactions[0]?.at;
    return this.intake.queue.entries.find(({ entry }) => entry.transactions.length > 0)?.entry.transactions[0]
      ?.at;
  }

  #attributes(batch: Batch): SpanAttributes {
    return {
      "lockstep.source": this.lane.room.source,
      "lockstep.target": this.lane.room.target.name,
      "lockstep.partition": this.lane.room.partition,
      "lockstep.events": batch.events,
      "lockstep.transactions": batch.transactions.length,
    };
  }
}
