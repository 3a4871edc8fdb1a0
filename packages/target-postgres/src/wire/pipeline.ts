import type { Connection, Submittable } from "pg";
import { Outgoing } from "./outgoing.js";

/** One statement of a pipeline. */
export interface Command {
  readonly text: string;
  /** Texts bound to `$1…`. */
  readonly values?: readonly (string | null)[];
  /** Kept prepared on the connection: for texts that come again. */
  readonly prepared?: boolean;
  /** Input of a `COPY … FROM STDIN`, in COPY's text format. */
  readonly copy?: string;
}

/** What a statement gave. */
export interface Answer {
  readonly rows: readonly (readonly (string | null)[])[];
  /** Rows written or returned. */
  readonly count: number;
  /** First word of the command tag: a COMMIT that says `ROLLBACK` was one. */
  readonly tag: string;
}

/** What one connection keeps from pipeline to pipeline. */
export interface PipelineState {
  /** Names of prepared statements, by text. */
  readonly names: Map<string, string>;
  made: number;
  buffer: Buffer | undefined;
}

/**
 * Statements that go to the server in one write and come back in one: the extended protocol with a single Sync at the end,
 * so that after one error the server skips the rest. pg itself waits for each query, or (its pipeline mode) can't COPY.
 */
export class Pipeline implements Submittable {
  readonly done: Promise<readonly Answer[]>;
  /** Read by pg: called when its own query time-out has passed. */
  callback: ((error?: Error) => void) | undefined;
  readonly #commands: readonly Command[];
  readonly #state: PipelineState;
  readonly #fresh: string[] = [];
  #out: Outgoing | undefined;
  readonly #answers: Answer[] = [];
  #rows: (string | null)[][] = [];
  #settle!: { resolve: (answers: readonly Answer[]) => void; reject: (error: unknown) => void };

  constructor(commands: readonly Command[], state: PipelineState) {
    this.#commands = commands;
    this.#state = state;
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  /** Answers that have come so far: as many as statements were completed. */
  get answers(): readonly Answer[] {
    return this.#answers;
  }

  submit(connection: Connection): void {
    const out = new Outgoing(this.#state.buffer);
    this.#state.buffer = undefined;
    for (const command of this.#commands) {
      out.bind(this.#statement(command, out), command.values ?? []);
      out.execute();
      // Sent without waiting for CopyInResponse: if the COPY fails the server skips this up to Sync.
      if (command.copy !== undefined) out.copy(command.copy);
    }
    out.sync();
    this.#out = out;
    connection.stream.write(out.bytes());
  }

  #statement({ text, prepared }: Command, out: Outgoing): string {
    if (prepared !== true) {
      out.parse("", text);
      return "";
    }
    const known = this.#state.names.get(text);
    if (known !== undefined) return known;
    const name = `lockstep_${++this.#state.made}`;
    out.parse(name, text);
    this.#state.names.set(text, name);
    this.#fresh.push(text);
    return name;
  }

  handleDataRow(message: { readonly fields: (string | null)[] }): void {
    this.#rows.push(message.fields);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    // `SELECT 3`, `UPDATE 3`, `INSERT 0 3`, `BEGIN`
    const [tag = "", ...numbers] = message.text.split(" ");
    const count = Number(numbers[numbers.length - 1] ?? 0);
    this.#answers.push({ rows: this.#rows, count: Number.isNaN(count) ? 0 : count, tag });
    this.#rows = [];
  }

  handleEmptyQuery(): void {
    this.#answers.push({ rows: [], count: 0, tag: "" });
  }

  handleError(error: unknown): void {
    // Which of the new names the server took before the error is unknown: they are not used again.
    for (const text of this.#fresh) this.#state.names.delete(text);
    this.#settle.reject(error);
  }

  handleReadyForQuery(): void {
    // The server has answered to all of it, so all of it was sent. (After an error that isn't sure.)
    this.#state.buffer = this.#out?.reusable;
    this.#settle.resolve(this.#answers);
  }

  handleRowDescription(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
  handleCopyData(): void {}
}
