import type { RowNote } from "@lockstep/core";
import type { CaptureRules } from "./capture-rules.js";
import { defineInTransaction, isOpen, type RunOwn } from "./define.js";
import { flush, flushAndCommit } from "./flush.js";
import { holdBegin } from "./hold-begin.js";
import { Journal, Unidentified } from "./journal.js";
import { rollsBack } from "./server-errors.js";
import { transactionIsOpen } from "./server-status.js";
import type { Statement } from "./statement.js";
import { type NamedUpdate, updateAndFlush } from "./update-and-flush.js";
import type { RunnerInternals, StructuredResult } from "./typeorm-internals.js";

/** A write's result for the caller, and what it touched. */
export interface Captured {
  readonly result: StructuredResult;
  readonly notes: readonly RowNote[];
}

type Send = () => Promise<unknown>;

/** Statements that run nothing that could commit, as a procedure could. */
const plain = /^\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|LOAD)\b/i;

/** When a statement was sent: its place in the journal, and how many statements before it controlled the transaction. */
interface Sent {
  readonly mark: number;
  readonly controls: number;
}

/**
 * One query runner as capture sees it: follows its transaction by the statements that are sent, and flushes the notes just
 * before the statement that makes them durable.
 *
 * Statements, not TypeORM's transaction events: events fire for savepoints too, not at all for raw BEGIN, before other
 * subscribers' last writes, and an error of another subscriber leaves them half done. The COMMIT statement comes after all of that.
 */
export class Session {
  readonly journal = new Journal();
  readonly #runner: RunnerInternals;
  #rules: CaptureRules;
  /** Resolves when the transactions of our own and the COMMITs that are under way have ended. */
  #tail: Promise<unknown> = Promise.resolve();
  /** True while a transaction of our own is open: nobody else's write belongs to it. */
  #ownOpen = false;
  /** Until a definition's end: whether it has committed is not known before. */
  #defining: Promise<unknown> | undefined;
  #controls = 0;

  constructor(runner: RunnerInternals, rules: CaptureRules) {
    this.#runner = runner;
    this.#rules = rules;
  }

  /** Sends a statement that isn't a captured write, and follows what it does to the transaction. */
  async send(statement: Exclude<Statement, { kind: "other" | "write" }>, send: Send): Promise<unknown> {
    if (this.#defining) await this.#defining;
    this.#controls++;
    this.journal.distrustKeys();
    switch (statement.kind) {
      case "begin":
        return this.#begin(send);
      case "commit":
        return this.#commit(send, statement);
      case "rollback":
        this.journal.end();
        if (statement.chains) this.journal.begin();
        return send();
      case "savepoint":
        this.journal.savepoint(statement.name);
        return send();
      case "release":
        this.journal.release(statement.name);
        return send();
      case "rollback-to": {
        const rolledBack = this.journal.rollbackTo(statement.name);
        const result = await send();
        rolledBack();
        return result;
      }
      case "truncate":
      case "definition":
        return this.#rules.engine === "mysql" ? this.#define(send, false) : send();
    }
  }

  /**
   * Sends a statement that isn't followed, and on MySQL asks the server's answer whether the transaction is still open: a procedure, a
   * block or an error may have ended it.
   */
  async watch(sql: string, send: Send): Promise<unknown> {
    const at = { mark: this.journal.mark(), controls: this.#controls };
    this.journal.distrustKeys();
    try {
      const result = await send();
      if (this.#follows(at) && transactionIsOpen(result) === false) await this.#ended(at.mark, false);
      return result;
    } catch (error) {
      await this.#failed(at, plain.test(sql) && rollsBack(error));
      throw error;
    }
  }

  /** Runs a captured write: in the open transaction, or in one of its own, so that row and outbox row are one. */
  write(
    perform: () => Promise<Captured>,
    named: () => NamedUpdate | undefined = () => undefined,
  ): Promise<StructuredResult> {
    // Whoever else has a transaction of our own open on this runner: its end comes first.
    if (this.#ownOpen) return this.#tail.then(() => this.write(perform, named));
    if (this.journal.active) return this.#note(perform);
    return this.#own(perform, named);
  }

  /** Goes by other rules from the next transaction on. What was sent while no capture was installed isn't known: TypeORM's word is taken. */
  follow(rules: CaptureRules): void {
    if (rules === this.#rules) return;
    if (!this.#rules.isInstalled()) {
      this.journal.end();
      if (this.#runner.isTransactionActive) this.journal.begin();
    }
    if (!this.isOpen || !this.#rules.isInstalled()) this.#rules = rules;
  }

  /** True when the runner must not be given back as it is. */
  get isOpen(): boolean {
    return this.#ownOpen || this.journal.active;
  }

  /**
   * Gives the runner's connection back when nothing is open on it any more. A transaction of our own ends by itself; the application's
   * is rolled back: the connection's next user would commit its rows, whose notes went with this runner.
   */
  async release(release: () => Promise<void>): Promise<void> {
    while (this.#ownOpen) await this.#tail;
    if (!this.journal.active) return release();
    this.#rules.logger.warn({}, "query runner released inside an open transaction: rolled back");
    this.journal.end();
    // A broken connection has no transaction.
    const released = this.#raw("ROLLBACK")
      .catch(() => undefined)
      .then(release);
    // A write that comes now would run after the ROLLBACK, by itself: it waits, and then finds the runner released.
    this.#ownOpen = true;
    this.#tail = released.catch(() => undefined).finally(() => (this.#ownOpen = false));
    return released;
  }

  async #note(perform: () => Promise<Captured>): Promise<StructuredResult> {
    const place = this.journal.reserve();
    const at = { mark: place.at, controls: this.#controls };
    try {
      const { result, notes } = await perform();
      place.arrived(notes);
      return result;
    } catch (error) {
      place.failed(error);
      await this.#failed(at, rollsBack(error));
      throw error instanceof Unidentified ? error.cause : error;
    }
  }

  /** True while what the server says of a statement sent then is about the transaction that is open here. */
  #follows({ controls }: Sent): boolean {
    return (
      this.#rules.engine === "mysql" && this.journal.active && !this.#ownOpen && controls === this.#controls
    );
  }

  /** A statement failed: the server may have ended the transaction with it (a deadlock, a procedure's COMMIT). Errors don't say; it is asked. */
  async #failed(at: Sent, rolledBack: boolean): Promise<void> {
    if (!this.#follows(at)) return;
    // When it can't be asked, the connection is gone, and the transaction with it.
    const open = await isOpen((sql) => this.#runOwn(sql)).catch(() => undefined);
    if (open === false && this.#follows(at)) await this.#ended(at.mark, rolledBack);
  }

  #own(perform: () => Promise<Captured>, named: () => NamedUpdate | undefined): Promise<StructuredResult> {
    const before = this.#tail;
    this.#ownOpen = true;
    const own = before.then(() => {
      if (!this.journal.active) return this.#ownTransaction(perform, named());
      // A BEGIN was waiting for the same end, and came first.
      this.#ownOpen = false;
      return this.#note(perform);
    });
    this.#tail = own.catch(() => undefined);
    return own;
  }

  // No code of the application runs in here: whoever waits for the end can't be waited for.
  async #ownTransaction(
    perform: () => Promise<Captured>,
    named: NamedUpdate | undefined,
  ): Promise<StructuredResult> {
    try {
      const sent = named && (await updateAndFlush(this.#rules, this.#runner, named));
      if (sent) {
        if (!sent.flushed) await this.#flushLate([{ ...named.row, op: "update" }]);
        this.#rules.committed();
        return sent.result;
      }
      await this.#start(() => this.#raw("START TRANSACTION"));
      this.journal.begin();
      const result = await this.#note(perform);
      if (!(await this.#flushAndCommit())) {
        await this.#flush();
        await this.#raw("COMMIT");
      }
      this.#rules.committed();
      return result;
    } catch (error) {
      // The connection may be gone: the write's own error says more.
      if (this.journal.active) await this.#raw("ROLLBACK").catch(() => undefined);
      throw error;
    } finally {
      this.journal.end();
      this.#ownOpen = false;
    }
  }

  async #begin(send: Send): Promise<unknown> {
    await this.#tail;
    // PostgreSQL only warns and stays in the same transaction; MySQL commits it.
    if (this.journal.active) return this.#rules.engine === "postgres" ? send() : this.#define(send, true);
    this.journal.begin();
    try {
      return await this.#start(send);
    } catch (error) {
      this.journal.end();
      throw error;
    }
  }

  #start(send: Send): Promise<unknown> {
    return this.#rules.engine === "postgres" ? holdBegin(this.#runner, send) : send();
  }

  /** MySQL: a statement that may commit by itself. Writes and control wait for its end. `begins`: it opens the next transaction then. */
  async #define(send: Send, begins: boolean): Promise<unknown> {
    while (this.#ownOpen) await this.#tail;
    if (!this.journal.active) return send();
    this.#ownOpen = true;
    const run: RunOwn = (sql, parameters) => this.#runOwn(sql, parameters);
    const defined = defineInTransaction(this.#rules, this.journal, run, send, begins).finally(() => {
      this.#ownOpen = false;
      this.#defining = undefined;
    });
    this.#defining = this.#tail = defined.catch(() => undefined);
    const { result, committed } = await defined;
    if (committed > 0) this.#rules.committed();
    return result;
  }

  /**
   * MySQL: the transaction has ended inside a statement. What may be committed goes to the outbox at once, in a transaction of its own:
   * writes before the statement, unless the server is known to have rolled them back, and writes that were sent after it.
   */
  async #ended(mark: number, rolledBack: boolean): Promise<void> {
    if (rolledBack) this.journal.rolledBackAt(mark);
    if (this.journal.empty) return this.journal.end();
    this.#rules.logger.warn(
      {},
      "a statement ended its transaction: changes go to the outbox after their commit",
    );
    this.#ownOpen = true;
    const flushed = this.#flushLate();
    this.#tail = flushed.catch(() => undefined);
    return flushed;
  }

  async #flushLate(notes?: readonly RowNote[]): Promise<void> {
    try {
      await this.#start(() => this.#raw("START TRANSACTION"));
      if (notes) {
        this.journal.begin();
        this.journal.putBack(notes);
      }
      const flushed = await this.#flush();
      await this.#raw("COMMIT");
      if (flushed > 0) this.#rules.committed();
    } catch (error) {
      await this.#raw("ROLLBACK").catch(() => undefined);
      throw error;
    } finally {
      this.journal.end();
      this.#ownOpen = false;
    }
  }

  async #commit(send: Send, { chains, plain }: { chains: boolean; plain: boolean }): Promise<unknown> {
    if (!this.journal.active) return send();
    // What TypeORM gives for a COMMIT: no rows.
    if (plain && (await this.#flushAndCommit())) return [];
    let flushed = 0;
    do flushed += await this.#flush();
    while (!this.journal.empty);
    // Ended before COMMIT is sent, in the same turn: a write that comes now runs after it and needs a transaction of its own.
    this.journal.end();
    if (chains) this.journal.begin();
    const sent = send();
    this.#tail = sent.catch(() => undefined);
    const result = await sent;
    if (flushed > 0) this.#rules.committed();
    return result;
  }

  /** Flushes and commits in one message, where the writer can. False: it can't here, and nothing was done. */
  async #flushAndCommit(): Promise<boolean> {
    if (this.#rules.writer.appendStatement === undefined) return false;
    let sending = false;
    const starts = (): void => {
      sending = true;
      this.journal.end();
    };
    const run = (sql: string): Promise<void> => {
      const sent = this.#raw(sql);
      if (!this.#ownOpen) this.#tail = sent.catch(() => undefined);
      return sent;
    };
    try {
      const written = await flushAndCommit(this.#rules, this.journal, run, starts);
      if (written === undefined) return false;
      if (written > 0 && !this.#ownOpen) this.#rules.committed();
      return true;
    } catch (error) {
      if (sending) {
        // Not committed, or nobody knows: until a roll-back is sent, nothing more may pass as captured.
        this.journal.begin();
        this.journal.poison(error);
      }
      throw error;
    }
  }

  /** @returns rows written to the outbox. */
  #flush(): Promise<number> {
    return flush(this.#rules, this.journal, (sql, parameters) => this.statement(sql, parameters));
  }

  /** Runs a statement of our own on the runner's connection; gives its rows. */
  async statement(sql: string, parameters: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    return (await this.#runOwn(sql, parameters)).records ?? [];
  }

  async #raw(sql: string): Promise<void> {
    await this.#runOwn(sql);
  }

  #runOwn(sql: string, parameters: readonly unknown[] = []): Promise<StructuredResult> {
    return this.#rules.runOwn(this.#runner, sql, [...parameters]);
  }
}
