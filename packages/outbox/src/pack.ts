/**
 * Several changes in one row of the outbox: a row for each costs more than all else in a statement of many rows. They are of one transaction, table and
 * audience, in their order, and none has a key from before.
 *
 * Such a row has the op {@link packLetter}, as its key the number of its changes, and as its image a line for each: the letter of its op, its
 * key, a tab, its image if it has one. Both are JSON arrays as a database prints them, which have neither tabs nor line feeds of their own. Its
 * version, if it has one, has a line for each, too. Only writers on PostgreSQL pack: on MySQL and MariaDB triggers fire row by row.
 */
export const packLetter = "p";

/**
 * Stands before the fingerprint of such a row, and in no fingerprint. A relay from before rows were packed doesn't know what it names and waits, where it
 * would else publish a change that is none.
 */
export const fingerprintMark = "p";

/** A change as its row of the outbox has it. */
export interface RowChange {
  /** The letter of its op. */
  readonly op: string;
  readonly key: string;
  readonly image?: string | null | undefined;
  readonly before?: string | null | undefined;
  readonly version?: string | null | undefined;
}

/** The fingerprint that stands in a row for this one, or for that of a row that is packed. Pure. */
export function unmarkedFingerprint(fingerprint: string): string {
  return fingerprint.startsWith(fingerprintMark) ? fingerprint.slice(fingerprintMark.length) : fingerprint;
}

/** The changes of a row, in their order. Pure. */
export function unpack(row: RowChange): readonly RowChange[] {
  if (row.op !== packLetter) return [row];
  const versions = row.version?.split("\n");
  return row.image!.split("\n").map((line, i) => {
    const tab = line.indexOf("\t");
    return {
      op: line[0]!,
      key: line.slice(1, tab),
      image: tab + 1 === line.length ? null : line.slice(tab + 1),
      version: versions?.[i] || null,
    };
  });
}

/** How many they are. Pure. */
export function changesIn({ op, key }: RowChange): number {
  return op === packLetter ? Number(key) : 1;
}
