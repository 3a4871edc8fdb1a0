import { once } from "node:events";
import type { Connection, Submittable } from "pg";

const copyData = 0x64;
const copyDone = Buffer.from([0x63, 0, 0, 0, 4]);

/**
 * A `COPY … FROM STDIN` whose input comes piece by piece: the next one is asked for when the socket has taken the last, so that memory stays flat. Nothing is
 * sent on behalf of input that failed: whoever gave it breaks the connection.
 */
export class CopyIn implements Submittable {
  readonly #sql: string;
  readonly #ready: Promise<Connection>;
  readonly #done: Promise<number>;
  #settle!: {
    ready: (connection: Connection) => void;
    done: (rows: number) => void;
    failed: (error: unknown) => void;
  };
  #rows = 0;
  #failed = false;

  constructor(sql: string) {
    this.#sql = sql;
    let ready!: (connection: Connection) => void;
    let notReady!: (error: unknown) => void;
    this.#ready = new Promise((resolve, reject) => ([ready, notReady] = [resolve, reject]));
    this.#done = new Promise((done, reject) => {
      const failed = (error: unknown): void => {
        this.#failed = true;
        reject(error);
        notReady(error);
      };
      this.#settle = { ready, done, failed };
    });
    // Both reject for one reason, and only one of them may be waited for.
    this.#ready.catch(() => undefined);
    this.#done.catch(() => undefined);
  }

  /** Sends the input; how many rows the server took. Throws the server's error, or what the input threw. */
  async send(pieces: AsyncIterable<Buffer>): Promise<number> {
    const { stream } = await this.#ready;
    for await (const piece of pieces) {
      // The server has refused a row: what follows would only be thrown away.
      if (this.#failed) break;
      const head = Buffer.allocUnsafe(5);
      head[0] = copyData;
      head.writeInt32BE(piece.length + 4, 1);
      stream.cork();
      stream.write(head);
      const goesOn = stream.write(piece);
      stream.uncork();
      if (!goesOn) await Promise.race([once(stream, "drain"), this.#done]);
    }
    if (!this.#failed) stream.write(copyDone);
    return this.#done;
  }

  submit(connection: Connection): void {
    connection.query(this.#sql);
  }

  handleCopyInResponse(connection: Connection): void {
    this.#settle.ready(connection);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#rows = Number(text.split(" ")[1] ?? 0);
  }

  /** Also when the connection ends. */
  handleError(error: unknown): void {
    this.#settle.failed(error);
  }

  handleReadyForQuery(): void {
    this.#settle.done(this.#rows);
  }

  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}
