import type { RowNote } from "@lockstep/core";
import type { CaptureRules } from "./capture-rules.js";
import { flush, flushAndCommit } from "./flush.js";
import { Journal, Unidentified } from "./journal.js";
import { endedByServer } from "./server-errors.js";
import type { Statement } from "./statement.js";
import type { RunnerInternals, StructuredResult } from "./typeorm-internals.js";

/** A write's result for the caller, and what it touched. */
export interface Captured {
  readonly result: StructuredResult;
  readonly notes: readonly RowNote[];
}

type Send = () => Promise<unknown>;

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

  constructor(runner: RunnerInternals, rules: CaptureRules) {
    this.#runner = runner;
    this.#rules = rules;
  }

  /** Sends a statement that isn't a captured write, and follows what it does to the transaction. */
  async send(statement: Exclude<Statement, { kind: "other" | "write" }>, send: Send): Promise<unknown> {
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
        return this.#rules.engine === "mysql" && this.journal.active
          ? this.#commit(send, { chains: false, plain: false })
          : send();
    }
  }

  /** Runs a captured write: in the open transaction, or in one of its own, so that row and outbox row are one. */
  async write(perform: () => Promise<Captured>): Promise<StructuredResult> {
    // Whoever else has a transaction of our own open on this runner: its end comes first.
    while (this.#ownOpen) await this.#tail;
    if (this.journal.active) return this.#note(perform);
    return this.#own(perform);
  }

  /** Says that a statement failed: the server may have ended the transaction with it. */
  failed(error: unknown): void {
    if (this.journal.active && endedByServer(this.#rules, error)) this.journal.end();
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
    const captured = perform();
    this.journal.add(captured.then(({ notes }) => notes));
    try {
      return (await captured).result;
    } catch (error) {
      this.failed(error);
      throw error instanceof Unidentified ? error.cause : error;
    }
  }

  #own(perform: () => Promise<Captured>): Promise<StructuredResult> {
    const before = this.#tail;
    this.#ownOpen = true;
    const own = before.then(() => {
      if (!this.journal.active) return this.#ownTransaction(perform);
      // A BEGIN was waiting for the same end, and came first.
      this.#ownOpen = false;
      return this.#note(perform);
    });
    this.#tail = own.catch(() => undefined);
    return own;
  }

  // No code of the application runs in here: whoever waits for the end can't be waited for.
  async #ownTransaction(perform: () => Promise<Captured>): Promise<StructuredResult> {
    try {
      await this.#raw("START TRANSACTION");
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
    if (this.journal.active) {
      // PostgreSQL only warns and stays in the same transaction; MySQL commits it.
      if (this.#rules.engine === "postgres") return send();
      await this.#flush();
    }
    this.journal.begin();
    try {
      return await send();
    } catch (error) {
      this.journal.end();
      throw error;
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
    const result = await this.#rules.runOwn(this.#runner, sql, [...parameters]);
    return result.records ?? [];
  }

  async #raw(sql: string): Promise<void> {
    await this.#rules.runOwn(this.#runner, sql, []);
  }
}
