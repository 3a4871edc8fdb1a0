import type pg from "pg";

/** A connection that sends the log. */
export interface Replication {
  /** Tells the server how far we are: all before `flushed` may go. */
  status(written: bigint, flushed: bigint): void;
  pause(): void;
  resume(): void;
  /** Ends the connection at once; what is under way is dropped. */
  close(): void;
}

/** What a connection that sends the log tells. */
export interface ReplicationListener {
  data(bytes: Buffer): void;
  /** The connection ended by itself. */
  ended(error: Error | undefined): void;
}

/**
 * Sends `command` (START_REPLICATION) and hands everything that the server sends from then on to the listener. pg's own reader is taken
 * off the socket: it would make an object and an event of every row, which halves the speed.
 */
export function replicate(client: pg.Client, command: string, listener: ReplicationListener): Replication {
  let stream: pg.Connection["stream"] | undefined;
  let isClosed = false;
  const ended = (error?: Error): void => {
    if (isClosed) return;
    isClosed = true;
    listener.ended(error);
  };
  client.once("end", () => ended());
  const takeover = {
    submit(connection: pg.Connection) {
      stream = connection.stream;
      stream.removeAllListeners("data");
      stream.on("data", (bytes: Buffer) => {
        if (!isClosed) listener.data(bytes);
      });
      connection.query(command);
    },
    handleError: ended,
  };
  // The connection is idle, so this is submitted at once and the socket is ours from here on.
  client.query(takeover as unknown as pg.Submittable);
  return {
    status(written, flushed) {
      if (stream?.writable === true) stream.write(statusMessage(written, flushed));
    },
    pause: () => void stream?.pause(),
    resume: () => void stream?.resume(),
    close() {
      isClosed = true;
      stream?.destroy();
      client.end().catch(() => undefined);
    },
  };
}

const copyData = 0x64;
const standbyStatus = 0x72;
const statusBytes = 34;
/** Between 1970 and 2000, ms: PostgreSQL's clock starts there. */
export const epochMs = 946_684_800_000;

function statusMessage(written: bigint, flushed: bigint): Buffer {
  const message = Buffer.alloc(5 + statusBytes);
  message[0] = copyData;
  message.writeInt32BE(4 + statusBytes, 1);
  message[5] = standbyStatus;
  message.writeBigUInt64BE(written, 6);
  message.writeBigUInt64BE(flushed, 14);
  message.writeBigUInt64BE(flushed, 22);
  message.writeBigInt64BE(BigInt(Date.now() - epochMs) * 1000n, 30);
  return message;
}
