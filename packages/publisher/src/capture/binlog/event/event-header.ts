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
  /** Says that who doesn't know it may pass it over. */
  readonly isIgnorable: boolean;
}

/** Bytes of the header. */
export const headerBytes = 19;

const artificialFlag = 0x20;
const ignorableFlag = 0x80;

/** Reads an event's header. */
export function headerOf(event: Buffer): EventHeader {
  const flags = event.readUInt16LE(17);
  return {
    at: event.readUInt32LE(0),
    type: event[4]!,
    size: event.readUInt32LE(9),
    end: event.readUInt32LE(13),
    isArtificial: (flags & artificialFlag) !== 0,
    isIgnorable: (flags & ignorableFlag) !== 0,
  };
}

/** The kinds of events that mean something here. `V1` is what MariaDB and old servers write, `V2` is MySQL's. */
export const eventType = {
  query: 2,
  stop: 3,
  rotate: 4,
  intvar: 5,
  rand: 13,
  userVar: 14,
  formatDescription: 15,
  xid: 16,
  executeLoadQuery: 18,
  tableMap: 19,
  writeRowsV1: 23,
  updateRowsV1: 24,
  deleteRowsV1: 25,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  writeRowsV2: 30,
  updateRowsV2: 31,
  deleteRowsV2: 32,
  gtid: 33,
  anonymousGtid: 34,
  previousGtids: 35,
  transactionContext: 36,
  viewChange: 37,
  xaPrepare: 38,
  partialUpdateRows: 39,
  transactionPayload: 40,
  heartbeatV2: 41,
  taggedGtid: 42,
  mariadbAnnotateRows: 160,
  mariadbBinlogCheckpoint: 161,
  mariadbGtid: 162,
  mariadbGtidList: 163,
  mariadbStartEncryption: 164,
  mariadbQueryCompressed: 165,
  mariadbDeleteRowsCompressedV2: 171,
} as const;
