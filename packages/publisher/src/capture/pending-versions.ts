/** What the log holds of a row's version, as texts. */
export interface LoggedVersion {
  readonly stamp: string | undefined;
  readonly node: string | undefined;
  /** JSON text. */
  readonly seen: string | undefined;
  readonly from: string | undefined;
}

/** An event's version, made of texts of the log; `undefined` for one that was only made to be locked. Pure. */
export function versionText({ stamp, node, seen, from }: LoggedVersion): string | undefined {
  if (stamp === undefined || node === undefined || seen === undefined || stamp === "0") return undefined;
  const origin = from === undefined ? "" : `,"from":${JSON.stringify(from)}`;
  return `{"stamp":${stamp},"node":${JSON.stringify(node)},"seen":${seen}${origin}}`;
}

/** Versions that have found their row are kept for so many rows. */
const maxKept = 10_000;

/**
 * Versions of rows, within a transaction of the log, until the rows come that they stand before. Triggers write them one by one, a lane those of a set
 * before its rows, so few are waiting at a time. A row may be written several times by what a lane does with one version (unique values are moved aside
 * first): each of them has it, as a batch keeps the last.
 */
export class PendingVersions {
  readonly #waiting = new Map<string, string>();
  readonly #found = new Map<string, string>();

  put(table: string, key: string, version: string): void {
    const id = idOf(table, key);
    this.#found.delete(id);
    this.#waiting.set(id, version);
  }

  /** No row has one. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#found.size === 0;
  }

  /** The version of the row that comes now; `undefined` where there is none. */
  take(table: string, key: string): string | undefined {
    if (this.isEmpty) return undefined;
    const id = idOf(table, key);
    const version = this.#waiting.get(id);
    if (version === undefined) return this.#found.get(id);
    this.#waiting.delete(id);
    this.#found.set(id, version);
    if (this.#found.size > maxKept) this.#found.delete(this.#found.keys().next().value!);
    return version;
  }

  /** Forgets all: a transaction begins. */
  clear(): void {
    if (this.#waiting.size > 0) this.#waiting.clear();
    if (this.#found.size > 0) this.#found.clear();
  }
}

function idOf(table: string, key: string): string {
  return `${table}\t${key}`;
}
