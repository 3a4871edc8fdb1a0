import type pg from "pg";

/** Copied out of the driver's buffer in pieces of this size; a few of them wait for whoever reads. */
const pieceBytes = 128 * 1024;
const maxWaiting = 4;

/**
 * The output of a `COPY … TO STDOUT`, in pieces. The socket is not read while nobody takes them: however fast the server is, memory stays flat.
 * pg gives each row as a message of its own; a row is a view of a buffer that it uses again.
 */
export class CopyOut implements pg.Submittable {
  /** Read by pg: a range takes as long as whoever writes its rows; beyond this the network has stopped. Milliseconds. */
  readonly query_timeout = 10 * 60_000;
  /** Set by pg: ends its timer, which would otherwise keep the process alive. */
  callback: (() => void) | undefined;
  readonly #sql: string;
  #connection: pg.Connection | undefined;
  #piece = Buffer.allocUnsafe(pieceBytes);
  #length = 0;
  readonly #waiting: Buffer[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(sql: string) {
    this.#sql = sql;
  }

  submit(connection: pg.Connection): void {
    this.#connection = connection;
    connection.query(this.#sql);
  }

  async *pieces(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece !== undefined) {
        if (this.#waiting.length < maxWaiting / 2) this.#connection?.stream.resume();
        yield piece;
      } else if (this.#end !== undefined) {
        if ("error" in this.#end) throw this.#end.error;
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#length + chunk.length > this.#piece.length) this.#flush();
    // A row that is larger than a piece is one of its own.
    if (chunk.length > this.#piece.length) return this.#push(Buffer.from(chunk));
    this.#length += chunk.copy(this.#piece, this.#length);
  }

  handleReadyForQuery(): void {
    this.#flush();
    this.#end ??= {};
    this.callback?.();
    this.#wake?.();
  }

  /** Also when the connection ends. */
  handleError(error: unknown): void {
    this.#end ??= { error };
    this.callback?.();
    this.#wake?.();
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}

  #flush(): void {
    if (this.#length === 0) return;
    this.#push(this.#piece.subarray(0, this.#length));
    this.#piece = Buffer.allocUnsafe(pieceBytes);
    this.#length = 0;
  }

  #push(piece: Buffer): void {
    this.#waiting.push(piece);
    if (this.#waiting.length >= maxWaiting) this.#connection?.stream.pause();
    this.#wake?.();
  }
}
