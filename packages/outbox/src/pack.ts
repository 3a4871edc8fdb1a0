import { packLetter, partsOfLine } from "@lockstep/core";

/**
 * A change as its row of the outbox has it. A row may also hold several, of one transaction, table and audience, for a row for each costs more than all
 * else in a statement of many rows. It then has the op {@link packLetter}, as its key their number, as its image their lines (`PackedChanges` of
 * `@lockstep/core`), and as its version, if it has one, a line for each, too. Only writers on PostgreSQL pack: on MySQL and MariaDB triggers fire row by row.
 */
export interface RowChange {
  /** The letter of its op. */
  readonly op: string;
  readonly key: string;
  readonly image?: string | null | undefined;
  readonly before?: string | null | undefined;
  readonly version?: string | null | undefined;
}

/**
 * Stands before the fingerprint of a row that packs, and in no fingerprint. A relay from before rows were packed doesn't know what it names and waits,
 * where it would else publish a change that is none.
 */
export const fingerprintMark = "p";

/** The fingerprint that stands in a row for this one, or for that of a row that is packed. Pure. */
export function unmarkedFingerprint(fingerprint: string): string {
  return fingerprint.startsWith(fingerprintMark) ? fingerprint.slice(fingerprintMark.length) : fingerprint;
}

/** The changes of a row, in their order. Pure. */
export function unpack(row: RowChange): readonly RowChange[] {
  if (row.op !== packLetter) return [row];
  const versions = row.version?.split("\n");
  return row.image!.split("\n").map((line, i) => {
    const { letter, key, image = null } = partsOfLine(line);
    return { op: letter, key, image, version: versions?.[i] || null };
  });
}

/** How many they are. Pure. */
export function changesIn({ op, key }: RowChange): number {
  return op === packLetter ? Number(key) : 1;
}
