import { randomInt } from "node:crypto";
import { LockstepError } from "@lockstep/core";
import type { Connections } from "@lockstep/outbox/mysql";
import { Latch } from "../../../relay/latch.js";
import { type RawConnection, type RawPacket, sendCommand } from "./raw-command.js";

/** A server's binlog as it comes, from a place on: as a replica gets it. */
export interface Dump {
  /** Events in order, headers included, without the packet's marker; several at a time, never none. Ends by throwing. */
  take(): Promise<readonly Buffer[]>;
  close(): void;
}

/** Where to begin and who asks. */
export interface DumpStart {
  readonly file: string;
  readonly offset: number;
  /** Must differ from every other replica's and reader's. Default: random. */
  readonly serverId?: number | undefined;
  /** MariaDB: the texts of the statements are wanted too. MySQL sends them where it logs them. */
  readonly withStatements?: boolean;
}

const registerReplica = 0x15;
const binlogDump = 0x12;

/** The server says this often that it is alive, seconds; three times as much silence is a dead connection. */
const heartbeatSeconds = 2;
const silenceMs = 20_000;
/** Bytes received and not yet taken, at which the connection is no longer read. */
const maxReceivedBytes = 4 * 1024 * 1024;

/**
 * The server sends its checksums only to who knows them, and GTID events instead of BEGIN (MariaDB) only to who says so. A reader that
 * waits for room must not be cut off for it.
 */
const settings = `SET @master_binlog_checksum = @@GLOBAL.binlog_checksum, @source_binlog_checksum = @@GLOBAL.binlog_checksum,
  @mariadb_slave_capability = 4, @master_heartbeat_period = ${heartbeatSeconds * 1e9}, @source_heartbeat_period = ${heartbeatSeconds * 1e9},
  net_write_timeout = 31536000`;

/** Opens a connection of its own and asks for the log. @throws LockstepError SOURCE_UNAVAILABLE, HISTORY_GONE, SNAPSHOT_WENT_BACK (also from `take`). */
export async function openDump(
  connections: Connections,
  { file, offset, serverId = randomInt(0x4000_0000, 0x7fff_ffff), withStatements = false }: DumpStart,
): Promise<Dump> {
  const opened = await connections.open();
  const connection = (opened as unknown as { readonly connection: RawConnection }).connection;
  try {
    await opened.query(settings);
    await register(connection, serverId);
  } catch (error) {
    opened.destroy();
    throw logError(error);
  }
  return receive(connection, dumpCommand({ file, offset, serverId, withStatements }));
}

/** Shows the reader in SHOW REPLICAS; fails without the right to read the log. */
function register(connection: RawConnection, serverId: number): Promise<void> {
  const name = Buffer.from("lockstep");
  const payload = Buffer.alloc(18 + name.length);
  payload.writeUInt8(registerReplica, 0);
  payload.writeUInt32LE(serverId, 1);
  payload.writeUInt8(name.length, 5);
  name.copy(payload, 6);
  return new Promise((resolve, reject) => {
    connection.once("error", reject);
    sendCommand(connection, payload, (packet) => {
      connection.off("error", reject);
      if (packet.isError()) reject(packet.asError("utf8"));
      else resolve();
      return true;
    });
  });
}

/** MySQL has no such flag, and passes it over. */
const sendStatements = 2;

function dumpCommand({ file, offset, serverId, withStatements }: Required<DumpStart>): Buffer {
  const name = Buffer.from(file);
  const payload = Buffer.alloc(11 + name.length);
  payload.writeUInt8(binlogDump, 0);
  payload.writeUInt32LE(offset, 1);
  payload.writeUInt16LE(withStatements ? sendStatements : 0, 5);
  payload.writeUInt32LE(serverId!, 7);
  name.copy(payload, 11);
  return payload;
}

function receive(connection: RawConnection, command: Buffer): Dump {
  let received: Buffer[] = [];
  let bytes = 0;
  let failure: unknown;
  let isPaused = false;
  let heardAt = performance.now();
  const arrived = new Latch();
  const never = new AbortController().signal;
  const fail = (error: unknown): void => {
    failure ??= logError(error);
    connection.destroy();
    // The driver only says goodbye, and a server that sends its log doesn't listen: the socket would stay open, and keep the process alive.
    connection.stream.destroy();
    arrived.set();
  };
  connection.on("error", fail);
  connection.on("end", () => fail(ended));
  sendCommand(connection, command, (packet: RawPacket) => {
    heardAt = performance.now();
    if (packet.isError()) {
      fail(packet.asError("utf8"));
      return true;
    }
    const event = packet.buffer.subarray(packet.offset + 1, packet.end);
    if (event.length < eventHeaderBytes) {
      fail(ended);
      return true;
    }
    received.push(event);
    bytes += event.length;
    if (bytes > maxReceivedBytes && !isPaused) {
      isPaused = true;
      connection.pause();
    }
    arrived.set();
    return false;
  });
  return {
    async take() {
      for (;;) {
        if (received.length > 0) {
          const events = received;
          received = [];
          bytes = 0;
          arrived.clear();
          if (isPaused) {
            isPaused = false;
            heardAt = performance.now();
            connection.resume();
          }
          return events;
        }
        if (failure !== undefined) throw failure;
        arrived.clear();
        await arrived.wait(silenceMs, never);
        if (received.length === 0 && performance.now() - heardAt > silenceMs) fail(silent);
      }
    },
    close: () => fail(ended),
  };
}

const eventHeaderBytes = 19;
const ended = new LockstepError("SOURCE_UNAVAILABLE", "the server ended the connection that reads its log");
const silent = new LockstepError("SOURCE_UNAVAILABLE", "the server has not sent its log's heartbeat");

const accessDenied = new Set([1045, 1227]);
const logUnreadable = 1236;

function logError(error: unknown): unknown {
  if (error instanceof LockstepError || !(error instanceof Error)) return error;
  const errno = "errno" in error ? Number(error.errno) : 0;
  if (accessDenied.has(errno)) {
    return new LockstepError("CAPTURE_SOURCE_SETTINGS", "no right to read the log: GRANT REPLICATION SLAVE", {
      cause: error,
    });
  }
  if (errno === logUnreadable && /first log file|purged|could not find/i.test(error.message)) {
    return new LockstepError("HISTORY_GONE", "the server has purged the log from where a target needs it", {
      cause: error,
    });
  }
  if (errno === logUnreadable) {
    return new LockstepError("SNAPSHOT_WENT_BACK", "the server's log doesn't reach as far as it was read", {
      cause: error,
    });
  }
  return new LockstepError("SOURCE_UNAVAILABLE", "the source's log can't be reached", { cause: error });
}
