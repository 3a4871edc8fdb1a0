import type {
  DeadLetter,
  DeadLetterDetail,
  LetterDesk,
  LetterWrite,
  RowImage,
  Sealer,
  TargetTransaction,
} from "@lockstep/core";
import type { RowName } from "./routes.js";
import type { TableBook } from "./table-book.js";

/**
 * The letters of one step. They hold rows of the source, and lie in the target: what the mapping keeps from the target is sealed in them, or, without a
 * secret, left unknown. Outside of this file letters are as the source knows them.
 */
export class LetterBook {
  readonly #sealer: Sealer | undefined;

  constructor(
    private readonly transaction: Pick<
      TargetTransaction,
      "findLetters" | "dueLetters" | "waitingLetters" | "putLetter"
    >,
    private readonly desk: Pick<LetterDesk, "get" | "list">,
    private readonly tables: TableBook,
  ) {
    this.#sealer = tables.mapping?.sealer;
  }

  /** Live letters of these rows. */
  async find(rows: readonly RowName[]): Promise<readonly DeadLetter[]> {
    const sealed = rows.map(({ table, key }) => ({ table, key: this.shownKey(table, key) }));
    return this.#openAll(await this.transaction.findLetters(sealed));
  }

  async due(limit: number): Promise<readonly DeadLetterDetail[]> {
    return this.#openAll(await this.transaction.dueLetters(limit));
  }

  async waiting(id: string, limit: number): Promise<readonly DeadLetterDetail[]> {
    return this.#openAll(await this.transaction.waitingLetters(id, limit));
  }

  async get(id: string): Promise<DeadLetterDetail | undefined> {
    const letter = await this.desk.get(id);
    return letter === undefined ? undefined : openLetter(letter, this.#sealer);
  }

  async list(...asked: Parameters<LetterDesk["list"]>): ReturnType<LetterDesk["list"]> {
    const page = await this.desk.list(...asked);
    return { ...page, letters: this.#openAll(page.letters) };
  }

  put(letter: LetterWrite): Promise<string> {
    const hidden = this.tables.hidden(letter.table);
    if (hidden.size === 0) return this.transaction.putLetter(letter);
    const { table, key, image, before, rawError } = letter;
    return this.transaction.putLetter({
      ...letter,
      key: this.shownKey(table, key),
      // What a mapping's own code says may quote what it read; what the target says can only quote what it was given.
      rawError: letter.code === "TRANSFORM_FAILED" ? (this.#sealer?.seal(rawError) ?? "") : rawError,
      ...(before === undefined ? {} : { before: this.shownKey(table, before) }),
      ...(image === undefined ? {} : { image: this.#sealImage(letter.schema, image, hidden) }),
    });
  }

  /** A row's key as the target may show it. */
  shownKey(table: string, key: string): string {
    const hidden = this.tables.hidden(table);
    const columns = this.tables.newest(table)?.schema.key ?? [];
    const seal = this.#sealer?.seal;
    if (seal === undefined || !columns.some((column) => hidden.has(column))) return key;
    const texts = JSON.parse(key) as string[];
    return JSON.stringify(texts.map((text, i) => (hidden.has(columns[i]!) ? seal(text) : text)));
  }

  #sealImage(fingerprint: string, image: string, hidden: ReadonlySet<string>): string {
    const { columns } = this.tables.schemaOf(fingerprint);
    const cells = JSON.parse(image) as RowImage;
    const sealed = cells.map((cell, i) => {
      if (typeof cell !== "string" || !hidden.has(columns[i]!.name)) return cell;
      return this.#sealer?.seal(cell) ?? 0;
    });
    return JSON.stringify(sealed);
  }

  #openAll<T extends DeadLetter>(letters: readonly T[]): readonly T[] {
    return this.#sealer === undefined ? letters : letters.map((letter) => openLetter(letter, this.#sealer));
  }
}

/** A letter as the source knows the row. */
export function openLetter<T extends DeadLetter & Partial<DeadLetterDetail>>(
  letter: T,
  sealer: Sealer | undefined,
): T {
  if (sealer === undefined) return letter;
  const { key, image, before, rawError } = letter;
  return {
    ...letter,
    key: openTexts(key, sealer),
    ...(image === undefined ? {} : { image: openTexts(image, sealer) }),
    ...(before === undefined ? {} : { before: openTexts(before, sealer) }),
    ...(rawError === undefined ? {} : { rawError: sealer.open(rawError) }),
  };
}

function openTexts(json: string, { open }: Sealer): string {
  const cells = JSON.parse(json) as RowImage;
  const opened = cells.map((cell) => (typeof cell === "string" ? open(cell) : cell));
  // Untouched texts stay as the source wrote them: equal text means the same row.
  return opened.some((cell, i) => cell !== cells[i]) ? JSON.stringify(opened) : json;
}
