import { createHash } from "node:crypto";
import type { ReadRow } from "@lockstep/core";

const maxRows = 50_000;

/**
 * Rows that were sent last, by a hash of their images: a pass reads again what the one before has read of the overlap, and what hasn't changed since needn't go
 * to the targets once more. It is a saving, not a promise: what it has forgotten is sent again, which changes nothing.
 */
export class SentRows {
  readonly #hashes = new Map<string, string>();

  /** Those that are not what was sent last. */
  fresh(rows: readonly ReadRow[]): readonly ReadRow[] {
    return rows.filter((row) => this.#hashes.get(row.key) !== hashOf(row));
  }

  /** Rows are in the outbox. */
  sent(rows: readonly ReadRow[]): void {
    for (const row of rows) {
      this.#hashes.delete(row.key);
      this.#hashes.set(row.key, hashOf(row));
    }
    const oldest = this.#hashes.keys();
    while (this.#hashes.size > maxRows) this.#hashes.delete(oldest.next().value!);
  }

  /** Something else was sent of them. */
  forget(rows: readonly Pick<ReadRow, "key">[]): void {
    for (const { key } of rows) this.#hashes.delete(key);
  }
}

function hashOf({ image }: ReadRow): string {
  return image === null ? "" : createHash("sha1").update(image).digest("base64");
}
