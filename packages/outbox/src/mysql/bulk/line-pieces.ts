import type { EventEmitter } from "node:events";
import { LockstepError } from "@lockstep/core";

const pieceBytes = 128 * 1024;
const maxWaiting = 4;
const newline = 0x0a;
/** Beyond this the network has stopped, ms. */
const timeoutMs = 10 * 60_000;

/** The driver's own connection under the promises: the one that gives rows as they come. */
export interface RowConnection extends EventEmitter {
  query(options: {
    readonly sql: string;
    readonly rowsAsArray: true;
    readonly timeout: number;
  }): EventEmitter;
  pause(): void;
  resume(): void;
}

/** The lines that a statement gives, a value each, in pieces. The connection is not read while nobody takes them. */
export async function* linePieces(
  connection: RowConnection,
  sql: string,
): AsyncGenerator<Buffer, void, undefined> {
  const waiting: Buffer[] = [];
  let piece = Buffer.allocUnsafe(pieceBytes);
  let length = 0;
  let end: { readonly error?: unknown } | undefined;
  let wake: (() => void) | undefined;
  const push = (bytes: Buffer): void => {
    waiting.push(bytes);
    if (waiting.length >= maxWaiting) connection.pause();
    wake?.();
  };
  const flush = (): void => {
    if (length > 0) push(piece.subarray(0, length));
    piece = Buffer.allocUnsafe(pieceBytes);
    length = 0;
  };
  const finish = (how: { readonly error?: unknown }): void => {
    end ??= how;
    wake?.();
  };
  const broken = (error?: unknown): void => finish({ error: error ?? new Error("Connection terminated") });
  const query = connection.query({ sql, rowsAsArray: true, timeout: timeoutMs });
  query.on("result", ([line]: [Buffer | null]) => {
    if (line === null) return finish({ error: tooLong() });
    if (length + line.length >= pieceBytes) flush();
    if (line.length >= pieceBytes) {
      push(line);
      push(Buffer.from([newline]));
      return;
    }
    length += line.copy(piece, length);
    piece[length++] = newline;
  });
  query.on("error", broken);
  query.on("end", () => {
    flush();
    finish({});
  });
  connection.once("error", broken).once("end", broken);
  try {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) {
        if (waiting.length < maxWaiting / 2) connection.resume();
        yield next;
      } else if (end !== undefined) {
        if ("error" in end) throw end.error;
        return;
      } else {
        await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    connection.off("error", broken).off("end", broken);
  }
}

/** A refusal of this row, as a target's would be: through the stream its cells travel one by one. */
function tooLong(): LockstepError {
  return new LockstepError("TARGET_VALUE", "a row is longer than the source's max_allowed_packet");
}
