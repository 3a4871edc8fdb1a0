/** A UUID as MariaDB prints it. */
export function uuidText(bytes: Buffer): string {
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** An INET4. */
export function inet4Text(bytes: Buffer): string {
  return bytes.join(".");
}

/** An INET6: the longest run of zero groups is left out; addresses that hold an IPv4 one show it. */
export function inet6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2));
  const gap = longestZeros(groups);
  const isMapped = gap.from === 0 && (gap.length === 6 || (gap.length === 5 && groups[5] === 0xffff));
  if (isMapped) return `::${gap.length === 5 ? "ffff:" : ""}${inet4Text(bytes.subarray(12))}`;
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  return gap.length === 0 ? text(0, 8) : `${text(0, gap.from)}::${text(gap.from + gap.length, 8)}`;
}

function longestZeros(groups: readonly number[]): { from: number; length: number } {
  let best = { from: -1, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { from: i + 1 - length, length };
  }
  return best;
}
