/**
 * The partition of a row: FNV-1a (32 bit) of its table and partition key, modulo the number of partitions.
 * The function is part of the stream's layout: changing it is a new layout version (PROTOCOL.md 23).
 */
export function partitionOf(table: string, key: string, partitions: number): number {
  if (partitions === 1) return 0;
  let hash = 0x811c9dc5;
  const text = `${table}\u0000${key}`;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % partitions;
}
