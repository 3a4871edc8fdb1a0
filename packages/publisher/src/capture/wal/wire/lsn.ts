/** A place in the write-ahead log as the replication protocol writes it: two hexadecimal halves. */
export function lsnText(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase();
}
