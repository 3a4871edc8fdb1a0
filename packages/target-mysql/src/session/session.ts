import { LockstepError } from "@lockstep/core";
import { createConnection, type Connection, type ResultSetHeader, type RowDataPacket } from "mysql2/promise";
import { flavourOf, type Flavour } from "./flavour.js";
import { sessionPin } from "./session-pin.js";
import { changedValue } from "./warnings.js";

/** A row of an answer: every value is the text the server printed. */
export type Row = Readonly<Record<string, string | null>>;
/** Values for `?` in a statement. */
export type Values = readonly (string | number | null | readonly string[])[];

/** Where and how to connect. */
export interface SessionOptions {
  readonly url: string;
  readonly database: string;
  /** Undefined: no limit (DDL). */
  readonly statementTimeoutMs: number | undefined;
}

type Answer = readonly (ResultSetHeader | RowDataPacket[])[];

/** How much later than the server's own limit the client gives up on an answer, ms. */
const graceMs = 5000;

/** One connection with pinned settings that never changes a value in silence. One statement at a time. */
export class Session {
  readonly flavour: Flavour;
  /** Resolves when the connection ended without {@link close}. */
  readonly lost: Promise<void>;
  readonly #connection: Connection;
  readonly #timeoutMs: number | undefined;
  #alive = true;
  #closed = false;

  private constructor(
    connection: Connection,
    lost: Promise<void>,
    flavour: Flavour,
    timeoutMs: number | undefined,
  ) {
    this.#connection = connection;
    this.flavour = flavour;
    this.#timeoutMs = timeoutMs;
    this.lost = lost.then(() => {
      this.#alive = false;
      return this.#closed ? new Promise<void>(() => undefined) : undefined;
    });
  }

  /** Connects and pins. Throws the driver's error. */
  static async open(options: SessionOptions): Promise<Session> {
    const connection = await createConnection({
      uri: options.url,
      database: options.database,
      charset: "utf8mb4",
      multipleStatements: true,
      rowsAsArray: false,
      connectTimeout: 10_000,
      connectAttributes: { program_name: "lockstep" },
      enableKeepAlive: true,
      // affectedRows counts the rows found, changed or not: the checkpoint's compare-and-set depends on it.
      flags: ["FOUND_ROWS", "-LOCAL_FILES", "-IGNORE_SPACE"],
      typeCast: (field) => field.string(),
    });
    const lost = new Promise<void>((resolve) => {
      connection.on("error", () => resolve());
      connection.on("end", () => resolve());
      streamOf(connection).once("close", () => resolve());
    });
    try {
      const [rows] = await connection.query<RowDataPacket[]>(
        "SELECT VERSION() AS version, @@max_allowed_packet AS bytes",
      );
      const flavour = flavourOf(String(rows[0]?.["version"]), Number(rows[0]?.["bytes"]));
      await connection.query(sessionPin(flavour, options.statementTimeoutMs));
      return new Session(connection, lost, flavour, options.statementTimeoutMs);
    } catch (error) {
      streamOf(connection).destroy();
      throw error;
    }
  }

  /** False once the connection has ended. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Rows of one SELECT. */
  async rows(sql: string, values?: Values): Promise<readonly Row[]> {
    const [first] = await this.#ask(sql, values);
    return Array.isArray(first) ? (first as Row[]) : [];
  }

  /**
   * Runs one statement that writes; returns the number of rows found.
   * @throws LockstepError TARGET_VALUE when the server stored another value than the one given.
   */
  async write(sql: string, values?: Values): Promise<number> {
    const [header] = await this.#ask(sql, values);
    if (header === undefined || Array.isArray(header)) return 0;
    const { warningStatus, affectedRows } = header as ResultSetHeader;
    if (warningStatus > 0) await this.#refuseChangedValues();
    return affectedRows;
  }

  /** Runs several writes in one round trip; returns the rows found by each. They must be idempotent: one that warned is run again to read the warning. */
  async writeEach(statements: readonly string[]): Promise<readonly number[]> {
    const answers = (await this.#ask(statements.join(";\n"))) as readonly ResultSetHeader[];
    for (const [i, header] of answers.entries()) {
      // The server keeps the warnings of the last statement only.
      if (header.warningStatus > 0) await this.write(statements[i]!);
    }
    return answers.map((header) => header.affectedRows);
  }

  /** Runs statements in one round trip; the answer of each is its rows, or the number of rows it found. */
  async script(
    statements: readonly string[],
    values?: Values,
  ): Promise<readonly (readonly Row[] | number)[]> {
    const answers = await this.#ask(statements.join("; "), values);
    return answers.map((answer) =>
      Array.isArray(answer) ? (answer as Row[]) : (answer as ResultSetHeader).affectedRows,
    );
  }

  /** Ends the connection in order. Never throws. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#alive = false;
    await this.#connection.end().catch(() => undefined);
    streamOf(this.#connection).destroy();
  }

  /** Drops the connection at once; the server rolls back. */
  drop(): void {
    streamOf(this.#connection).destroy();
  }

  async #ask(sql: string, values?: Values): Promise<Answer> {
    const [result] = await this.#inTime(
      values === undefined ? this.#connection.query(sql) : this.#connection.query(sql, [...values]),
    );
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
        reject(
          new LockstepError("TARGET_UNAVAILABLE", "the target did not answer in time", {
            details: { limitMs },
          }),
        );
      }, limitMs);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #refuseChangedValues(): Promise<void> {
    const changed = changedValue(await this.rows("SHOW WARNINGS"));
    if (changed !== undefined) throw changed;
  }
}

/** The part of the driver's connection that its types leave out. */
interface Underlying {
  readonly connection: {
    readonly stream: { destroy(): void; once(event: "close", listener: () => void): void };
  };
}

function streamOf(connection: Connection): Underlying["connection"]["stream"] {
  return (connection as unknown as Underlying).connection.stream;
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
