/** What {@link fitsName} asks, for a message. */
export const nameLimit = "PostgreSQL takes 63 bytes of UTF-8, and cuts what is longer";

/** Whether PostgreSQL takes a table's or column's name as it is. Pure. */
export function fitsName(name: string): boolean {
  return Buffer.byteLength(name) <= 63;
}
