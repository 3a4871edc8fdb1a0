/** The beginning of every binlog event. */
export interface EventHeader {
  readonly type: number;
  /** Seconds since 1970. */
  readonly at: number;
  readonly size: number;
  /** Where the event ends in its file, modulo 2^32; 0 in events that stand in no file. */
  readonly end: number;
  /** Made up for this reader: stands in no file. */
  readonly isArtificial: boolean;
}

/** Bytes of the header. */
export const headerBytes = 19;

const artificialFlag = 0x20;

/** Reads an event's header. */
export function headerOf(event: Buffer): EventHeader {
  return {
    at: event.readUInt32LE(0),
    type: event[4]!,
    size: event.readUInt32LE(9),
    end: event.readUInt32LE(13),
    isArtificial: (event.readUInt16LE(17) & artificialFlag) !== 0,
  };
}

/** The kinds of events that mean something here. `V1` is what MariaDB and old servers write, `V2` is MySQL's. */
export const eventType = {
  query: 2,
  stop: 3,
  rotate: 4,
  formatDescription: 15,
  xid: 16,
  tableMap: 19,
  writeRowsV1: 23,
  updateRowsV1: 24,
  deleteRowsV1: 25,
  heartbeat: 27,
  writeRowsV2: 30,
  updateRowsV2: 31,
  deleteRowsV2: 32,
  gtid: 33,
  anonymousGtid: 34,
  xaPrepare: 38,
  partialUpdateRows: 39,
  transactionPayload: 40,
  heartbeatV2: 41,
  taggedGtid: 42,
  mariadbGtid: 162,
  mariadbStartEncryption: 164,
  mariadbQueryCompressed: 165,
  mariadbDeleteRowsCompressedV2: 171,
} as const;
