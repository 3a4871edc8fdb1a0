import {
  type DeadLetter,
  type DeadLetterDetail,
  type LetterDesk,
  type LetterWrite,
  type RowImage,
  type Sealer,
  type TargetTransaction,
} from "@lockstep/core";
import { problemOf } from "./letter-rows.js";
import { openLetter } from "./open-letter.js";
import type { RowName } from "./routes.js";
import type { TableBook } from "./table-book.js";

/** A key of more texts lies in the target with all of them sealed or none: the ways to seal some double with each. */
const mostSealedAlone = 4;

/**
 * The letters of one step. They hold rows of the source, and lie in the target: what the mapping keeps from the target is sealed in them, or, without a
 * secret, left unknown. Outside of this file letters are as the source knows them.
 */
export class LetterBook {
  readonly #sealer: Sealer | undefined;
  /** Letters that were read, as they lie in the target. */
  readonly #stored = new WeakMap<DeadLetter, Partial<DeadLetterDetail> & DeadLetter>();

  constructor(
    private readonly transaction: Pick<
      TargetTransaction,
      "findLetters" | "dueLetters" | "waitingLetters" | "letters" | "putLetter" | "resolveLetters"
    >,
    private readonly tables: TableBook,
  ) {
    this.#sealer = tables.mapping?.sealer;
  }

  /** Live letters of these rows. */
  async find(rows: readonly RowName[]): Promise<readonly DeadLetter[]> {
    const asked = rows.flatMap(({ table, key }) => this.#keysOf(key).map((form) => ({ table, key: form })));
    return this.#openAll(await this.transaction.findLetters(asked));
  }

  async due(limit: number): Promise<readonly DeadLetterDetail[]> {
    return this.#openAll(await this.transaction.dueLetters(limit));
  }

  async waiting(id: string, limit: number): Promise<readonly DeadLetterDetail[]> {
    return this.#openAll(await this.transaction.waitingLetters(id, limit));
  }

  async get(id: string): Promise<DeadLetterDetail | undefined> {
    const letter = await this.transaction.letters.get(id);
    return letter === undefined ? undefined : openLetter(letter, this.#sealer);
  }

  async list(...asked: Parameters<LetterDesk["list"]>): ReturnType<LetterDesk["list"]> {
    const page = await this.transaction.letters.list(...asked);
    return { ...page, letters: this.#openAll(page.letters) };
  }

  /** Makes the row's live letter, or replaces it. `was`: as it was read, when it holds the same change still. */
  async put(letter: LetterWrite, was?: DeadLetterDetail): Promise<string> {
    const id = await this.transaction.putLetter(this.#asItLay(letter, was) ?? this.#shown(letter));
    // Where its key is shown in another way by now it is another one.
    if (was !== undefined && was.id !== id) await this.transaction.resolveLetters([was.id], "superseded");
    return id;
  }

  /** Of a letter that can't be tried nobody can tell which texts are hidden. */
  #asItLay(letter: LetterWrite, was?: DeadLetterDetail): LetterWrite | undefined {
    if (was === undefined || problemOf({ tables: this.tables }, was) === undefined) return undefined;
    const { key, image, before } = this.#stored.get(was) ?? was;
    return {
      ...letter,
      key,
      ...(image === undefined ? {} : { image }),
      ...(before === undefined ? {} : { before }),
    };
  }

  #shown(letter: LetterWrite): LetterWrite {
    const hidden = this.tables.hidden(letter.table);
    if (hidden.size === 0) return letter;
    const { table, key, image, before, rawError } = letter;
    return {
      ...letter,
      key: this.shownKey(table, key),
      // What a mapping's own code says may quote what it read; what the target says can only quote what it was given.
      rawError: letter.code === "TRANSFORM_FAILED" ? (this.#sealer?.seal(rawError) ?? "") : rawError,
      ...(before === undefined ? {} : { before: this.shownKey(table, before) }),
      ...(image === undefined ? {} : { image: this.#sealImage(letter.schema, image, hidden) }),
    };
  }

  /** A row's key as it may lie in the target: the mapping may have hidden others of its texts when the letter was made. */
  #keysOf(key: string): readonly string[] {
    const seal = this.#sealer?.seal;
    if (seal === undefined) return [key];
    const texts = JSON.parse(key) as string[];
    const forms = texts.length > mostSealedAlone ? [texts.map(seal)] : combinations(texts, seal);
    return [key, ...forms.map((form) => JSON.stringify(form))];
  }

  /** A row's key as the target may show it. */
  shownKey(table: string, key: string): string {
    const known = this.tables.newest(table);
    const isHidden = (i: number): boolean => known === undefined || known.hidden.has(known.schema.key[i]!);
    const seal = this.#sealer?.seal;
    if (seal === undefined || known?.hidden.size === 0) return key;
    const texts = JSON.parse(key) as string[];
    if (!texts.some((_, i) => isHidden(i))) return key;
    return JSON.stringify(texts.map((text, i) => (isHidden(i) ? seal(text) : text)));
  }

  #sealImage(fingerprint: string, image: string, hidden: ReadonlySet<string>): string {
    const seal = this.#sealer?.seal;
    const cells = JSON.parse(image) as RowImage;
    const { columns } = this.tables.schemaOf(fingerprint);
    const sealed = cells.map((cell, i) => {
      if (typeof cell !== "string" || !hidden.has(columns[i]!.name)) return cell;
      return seal?.(cell) ?? 0;
    });
    return JSON.stringify(sealed);
  }

  #openAll<T extends DeadLetter>(letters: readonly T[]): readonly T[] {
    return letters.map((letter) => {
      const opened = openLetter(letter, this.#sealer);
      this.#stored.set(opened, letter);
      return opened;
    });
  }
}

/** Every way to seal some of these texts, all of them, or none. */
function combinations(texts: readonly string[], seal: (text: string) => string): readonly string[][] {
  return texts.reduce<string[][]>(
    (forms, text) => forms.flatMap((form) => [text, seal(text)].map((one) => [...form, one])),
    [[]],
  );
}
