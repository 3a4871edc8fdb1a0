import { ByteReader } from "./byte-reader.js";
import { eventType } from "./event-header.js";

/** The beginning of a group of events: one transaction, or one statement that commits by itself. */
export interface GroupStart {
  /** The server's own id of the transaction: `domain-server-sequence` (MariaDB), `uuid:number` (MySQL); absent without GTIDs. */
  readonly gtid?: string;
  /** No COMMIT follows: the next statement is the whole group. Known on MariaDB only. */
  readonly isStandalone: boolean;
  /** Rows that an XA PREPARE wrote: they may still be rolled back. */
  readonly isPrepared: boolean;
  /** When it was committed, milliseconds since 1970, where the server says so more exactly than in seconds. */
  readonly at?: number;
}

const standaloneFlag = 1;
const preparedFlag = 64;

/** Reads the GTID event of either server. `serverId` is the header's. */
export function groupStartOf(type: number, body: Buffer, serverId: number): GroupStart {
  const reader = new ByteReader(body);
  if (type === eventType.mariadbGtid) {
    const sequence = reader.u64();
    const domain = reader.u32();
    const flags = reader.u8();
    return {
      gtid: `${domain}-${serverId}-${sequence}`,
      isStandalone: (flags & standaloneFlag) !== 0,
      isPrepared: (flags & preparedFlag) !== 0,
    };
  }
  const start = { isStandalone: false, isPrepared: false };
  if (type === eventType.taggedGtid) return start;
  reader.skip(1);
  const uuid = reader.bytes(16).toString("hex");
  const number = reader.u64();
  reader.skip(1 + 16);
  // MySQL 8: the microsecond of the commit, seven bytes, whose top bit says that the first server's own follows.
  const micros = reader.left >= 7 ? reader.uint(4) + (reader.uint(3) & 0x7fffff) * 2 ** 32 : undefined;
  return {
    ...start,
    ...(type === eventType.gtid && { gtid: `${dashed(uuid)}:${number}` }),
    ...(micros !== undefined && { at: Math.floor(micros / 1000) }),
  };
}

function dashed(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
