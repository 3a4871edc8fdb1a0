import { Socket } from "node:net";
import { Client } from "pg";
import { type Answer, type Command, Pipeline, type PipelineState } from "../wire/pipeline.js";
import { CopyIn } from "../wire/copy-in.js";
import { pinSettings, type SessionLimits } from "./settings.js";

/** How to reach the database. */
export interface SessionOptions extends SessionLimits {
  readonly url: string;
  readonly applicationName: string;
}

const connectTimeoutMs = 10_000;
const closeTimeoutMs = 2_000;
/** What the client waits at most longer than the server's own time-outs. */
const maxGraceMs = 5_000;

/** One connection with pinned settings. Statements run one pipeline at a time. */
export class Session {
  /** Resolves when the connection has ended without {@link close}. */
  readonly lost: Promise<void>;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #patienceMs: number;
  readonly #state: PipelineState = { names: new Map(), made: 0, buffer: undefined };
  #open = true;
  #closing = false;
  #last: Promise<unknown> = Promise.resolve();
  #unanswered = 0;

  private constructor(options: SessionOptions) {
    this.#socket = new Socket();
    this.#patienceMs = options.statementTimeoutMs + Math.min(options.statementTimeoutMs, maxGraceMs);
    this.#client = new Client({
      connectionString: options.url,
      stream: () => this.#socket,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
      connectionTimeoutMillis: connectTimeoutMs,
    });
    this.lost = new Promise((resolve) => {
      const end = (): void => {
        this.#open = false;
        if (!this.#closing) resolve();
      };
      this.#client.on("end", end);
      // The statement under way carries the error; without a listener it would end the process.
      this.#client.on("error", end);
    });
  }

  /** Connects and pins the settings. Throws the driver's error. */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    try {
      await session.#client.connect();
      await session.run([pinSettings(options, options.applicationName)]);
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  /** False once the connection is known to be gone. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** One round trip; the answers in order. Throws the driver's error; statements after the one that failed didn't run. */
  run(commands: readonly Command[], patienceMs = this.#patienceMs): Promise<readonly Answer[]> {
    // Sent before this returns when nothing is under way: the caller may use the time.
    const send = (): Promise<readonly Answer[]> => this.#send(commands, patienceMs);
    const answers = this.#unanswered++ === 0 ? send() : this.#last.then(send);
    const answered = (): void => void this.#unanswered--;
    this.#last = answers.then(answered, answered);
    return answers;
  }

  /** The answer of one statement. */
  async query(text: string, values: readonly (string | null)[] = []): Promise<Answer> {
    const [answer] = await this.run([{ text, values }]);
    return answer!;
  }

  /**
   * Runs a `COPY … FROM STDIN` with input that comes piece by piece, while nothing else runs here; how many rows it took. When it fails the session is of no use any more.
   * Throws the driver's error, or what the input threw.
   */
  async copyFrom(sql: string, pieces: AsyncIterable<Buffer>): Promise<number> {
    const copy = new CopyIn(sql);
    const guard = setTimeout(() => this.destroy(), Math.min(this.#patienceMs, 2 ** 31 - 1));
    try {
      this.#client.query(copy);
      return await copy.send(pieces);
    } finally {
      clearTimeout(guard);
    }
  }

  async #send(commands: readonly Command[], patienceMs: number): Promise<readonly Answer[]> {
    if (!this.#open) throw new Error("Connection terminated");
    const pipeline = new Pipeline(commands, this.#state);
    // The server's statement_timeout can't be heard over a network that swallows packets.
    const guard = setTimeout(() => this.destroy(), Math.min(patienceMs, 2 ** 31 - 1));
    try {
      this.#client.query(pipeline);
      return await pipeline.done;
    } catch (error) {
      if (typeof error === "object" && error !== null) answersBefore.set(error, pipeline.answers);
      throw error;
    } finally {
      clearTimeout(guard);
    }
  }

  /** Breaks the connection. */
  destroy(): void {
    this.#open = false;
    this.#socket.destroy();
  }

  /** Ends the connection in order, or breaks it after a bound. */
  async close(): Promise<void> {
    this.#closing = true;
    if (!this.#open) return;
    const guard = setTimeout(() => this.destroy(), closeTimeoutMs);
    await this.#client.end().catch(() => undefined);
    clearTimeout(guard);
    this.#open = false;
  }
}

const answersBefore = new WeakMap<object, readonly Answer[]>();

/** What the statements of the same pipeline answered that had completed when this error came: their number is the place of the one that failed. */
export function answersBeforeFailure(error: unknown): readonly Answer[] {
  return (typeof error === "object" && error !== null ? answersBefore.get(error) : undefined) ?? [];
}
