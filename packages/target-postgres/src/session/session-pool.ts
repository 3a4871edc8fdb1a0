import type { Answer } from "../wire/pipeline.js";
import { Session, type SessionOptions } from "./session.js";

/**
 * Sessions for single statements beside the lanes': letters, status, identity. Opened when needed, at most `max`; closed after
 * `idleMs` without work.
 */
export class SessionPool {
  readonly #options: SessionOptions;
  readonly #max: number;
  readonly #idleMs: number;
  readonly #idle: { readonly session: Session; readonly timer: NodeJS.Timeout }[] = [];
  readonly #waiting: (() => void)[] = [];
  #open = 0;
  #closed = false;

  constructor(options: SessionOptions, { max = 3, idleMs = 10_000 } = {}) {
    this.#options = options;
    this.#max = max;
    this.#idleMs = idleMs;
  }

  async query(text: string, values: readonly (string | null)[] = []): Promise<Answer> {
    return this.use((session) => session.query(text, values));
  }

  /** Lends a session. One whose work failed is not lent again: what state it is in is unknown. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#borrow();
    try {
      const result = await work(session);
      this.#giveBack(session);
      return result;
    } catch (error) {
      this.#drop();
      await session.close();
      throw error;
    }
  }

  async #borrow(): Promise<Session> {
    while (this.#open >= this.#max && this.#idle.length === 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    for (let entry = this.#idle.pop(); entry !== undefined; entry = this.#idle.pop()) {
      clearTimeout(entry.timer);
      if (entry.session.isOpen) return entry.session;
      this.#drop();
    }
    if (this.#closed) throw new Error("the target is closed");
    this.#open++;
    try {
      return await Session.open(this.#options);
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  #giveBack(session: Session): void {
    if (this.#closed || !session.isOpen) {
      this.#drop();
      void session.close();
      return;
    }
    const entry = { session, timer: setTimeout(() => this.#retire(session), this.#idleMs).unref() };
    this.#idle.push(entry);
    this.#waiting.shift()?.();
  }

  #retire(session: Session): void {
    const at = this.#idle.findIndex((entry) => entry.session === session);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    this.#drop();
    void session.close();
  }

  #drop(): void {
    this.#open--;
    this.#waiting.shift()?.();
  }

  /** Ends idle sessions; those at work end when it is done. */
  async close(): Promise<void> {
    this.#closed = true;
    const idle = this.#idle.splice(0);
    this.#open -= idle.length;
    for (const { timer } of idle) clearTimeout(timer);
    await Promise.all(idle.map(({ session }) => session.close()));
  }
}
