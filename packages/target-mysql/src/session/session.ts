import { LockstepError } from "@lockstep/core";
import type { ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { connectPinned, type PinnedConnection, type SessionOptions } from "./connect.js";
import type { Flavour } from "./flavour.js";
import { changedValue } from "./warnings.js";

/** A row of an answer: every value is the text the server printed. */
export type Row = Readonly<Record<string, string | null>>;
/** Values for `?` in a statement. */
export type Values = readonly (string | number | null | readonly string[])[];

type Answer = readonly (ResultSetHeader | RowDataPacket[])[];

/** How much later than the server's own limit the client gives up on an answer, ms. */
const graceMs = 5000;
const closeTimeoutMs = 2000;

/** One connection with pinned settings that never changes a value in silence. Calls queue up; each is one unit. */
export class Session {
  readonly flavour: Flavour;
  /** Resolves when the connection ended without {@link close}. */
  readonly lost: Promise<void>;
  readonly #pinned: PinnedConnection;
  readonly #timeoutMs: number | undefined;
  #alive = true;
  #closed = false;
  #busy: Promise<void> | undefined;

  private constructor(pinned: PinnedConnection, timeoutMs: number | undefined) {
    this.#pinned = pinned;
    this.flavour = pinned.flavour;
    this.#timeoutMs = timeoutMs;
    this.lost = pinned.ended.then(() => {
      this.#alive = false;
      return this.#closed ? new Promise<void>(() => undefined) : undefined;
    });
  }

  /** Connects and pins. Throws the driver's error. */
  static async open(options: SessionOptions): Promise<Session> {
    return new Session(await connectPinned(options), options.statementTimeoutMs);
  }

  /** False once the connection has ended. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Rows of one SELECT. */
  rows(sql: string, values?: Values): Promise<readonly Row[]> {
    return this.#alone(async () => {
      const [first] = await this.#ask(sql, values);
      return Array.isArray(first) ? (first as Row[]) : [];
    });
  }

  /** Rows of any statement, its binary values read as UTF-8; none of one that gives no rows. */
  utf8Rows(sql: string, values?: Values): Promise<readonly Row[]> {
    return this.#alone(async () => {
      const { connection } = this.#pinned;
      const asked = { sql, values: [...(values ?? [])], typeCast: utf8 };
      const [first] = answersIn((await this.#inTime(connection.query(asked)))[0]);
      return Array.isArray(first) ? (first as Row[]) : [];
    });
  }

  /**
   * Runs one statement that writes; returns the number of rows found.
   * @throws LockstepError TARGET_VALUE when the server stored another value than the one given.
   */
  write(sql: string, values?: Values): Promise<number> {
    return this.#alone(() => this.#writeChecked(sql, values));
  }

  /** Runs several writes in one round trip; returns the rows found by each. They must be idempotent: one that warned is run again to read the warning. */
  writeEach(statements: readonly string[]): Promise<readonly number[]> {
    return this.#alone(async () => {
      const answers = (await this.#ask(statements.join(";\n"))) as readonly ResultSetHeader[];
      for (const [i, header] of answers.entries()) {
        // The server keeps the warnings of the last statement only.
        if (header.warningStatus > 0) await this.#writeChecked(statements[i]!);
      }
      return answers.map((header) => header.affectedRows);
    });
  }

  /** Runs statements in one round trip; the answer of each is its rows, or the number of rows it found. */
  script(statements: readonly string[], values?: Values): Promise<readonly (readonly Row[] | number)[]> {
    return this.#alone(async () => {
      const answers = await this.#ask(statements.join("; "), values);
      return answers.map((answer) =>
        Array.isArray(answer) ? (answer as Row[]) : (answer as ResultSetHeader).affectedRows,
      );
    });
  }

  /** Ends the connection in order, or drops it after a bound. Never throws. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#alive = false;
    const guard = setTimeout(() => this.drop(), closeTimeoutMs);
    await this.#pinned.connection.end().catch(() => undefined);
    clearTimeout(guard);
    this.drop();
  }

  /** Drops the connection at once; the server rolls back. */
  drop(): void {
    this.#pinned.drop();
  }

  // A question that came between a write and its SHOW WARNINGS would wipe the warnings away. An idle session starts at once, so that the
  // statement is on its way when the call returns.
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#busy === undefined ? work() : this.#busy.then(work);
    const settled: Promise<void> = mine.then(
      () => this.#release(settled),
      () => this.#release(settled),
    );
    this.#busy = settled;
    return mine;
  }

  #release(settled: Promise<void>): void {
    if (this.#busy === settled) this.#busy = undefined;
  }

  async #writeChecked(sql: string, values?: Values): Promise<number> {
    const [header] = (await this.#ask(sql, values)) as readonly ResultSetHeader[];
    if (header === undefined || Array.isArray(header)) return 0;
    if (header.warningStatus > 0) {
      const [warnings] = await this.#ask("SHOW WARNINGS");
      const changed = changedValue(warnings as RowDataPacket[]);
      if (changed !== undefined) throw changed;
    }
    return header.affectedRows;
  }

  async #ask(sql: string, values?: Values): Promise<Answer> {
    const { connection } = this.#pinned;
    const asked = values === undefined ? connection.query(sql) : connection.query(sql, [...values]);
    const [result] = await this.#inTime(asked);
    return answersIn(result);
  }

  async #inTime<T>(answer: Promise<T>): Promise<T> {
    if (this.#timeoutMs === undefined) return answer;
    const limitMs = this.#timeoutMs + graceMs;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        // A half-open connection: nobody knows what became of the statement, so the session is over.
        this.drop();
        const details = { details: { limitMs } };
        reject(new LockstepError("TARGET_UNAVAILABLE", "the target did not answer in time", details));
      }, limitMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function utf8(field: { buffer(): Buffer | null }): string | null {
  return field.buffer()?.toString("utf8") ?? null;
}

// One statement: a header or an array of rows; several: an array of those.
function answersIn(result: unknown): Answer {
  if (!Array.isArray(result)) return [result as ResultSetHeader];
  const several = result.some((part) => Array.isArray(part) || isHeader(part));
  return (several ? result : [result]) as Answer;
}

function isHeader(part: unknown): boolean {
  return typeof part === "object" && part !== null && "warningStatus" in part;
}
