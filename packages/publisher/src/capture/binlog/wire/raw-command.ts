import type { EventEmitter } from "node:events";

/** The packets of a connection of `mysql2`, as far as raw commands need them. */
export interface RawPacket {
  readonly buffer: Buffer;
  /** Where the payload begins. */
  readonly offset: number;
  readonly end: number;
  isError(): boolean;
  asError(encoding: string): Error & { readonly errno?: number };
}

/** The subset of `mysql2`'s own connection, under its promises, that sends commands which it has no working method for. */
export interface RawConnection extends EventEmitter {
  addCommand(command: RawCommand): unknown;
  write(bytes: Buffer): unknown;
  pause(): void;
  resume(): void;
  destroy(): void;
  /** The socket. */
  readonly stream: { destroy(): void };
  _resetSequenceId(): void;
  _bumpSequenceId(packets: number): void;
}

interface RawCommand {
  execute(packet: RawPacket | undefined, connection: RawConnection): boolean;
}

/** Sends `payload` as one packet; `onPacket` gets what the server answers and returns true when the command is over. */
export function sendCommand(
  connection: RawConnection,
  payload: Buffer,
  onPacket: (packet: RawPacket) => boolean,
): void {
  let isSent = false;
  connection.addCommand({
    execute(packet) {
      if (isSent) return packet !== undefined && onPacket(packet);
      isSent = true;
      const header = Buffer.alloc(4);
      header.writeUIntLE(payload.length, 0, 3);
      connection._resetSequenceId();
      connection._bumpSequenceId(1);
      connection.write(Buffer.concat([header, payload]));
      return false;
    },
  });
}
