import { LockstepError } from "@lockstep/core";
import { type Connections, quoteName } from "@lockstep/outbox/mysql";

/** A charset: how many bytes a character takes at most, and how its bytes become a text. */
interface Charset {
  readonly name: string;
  readonly maxBytes: number;
}

/** Turns bytes of one charset into a text. */
export type TextDecoding = (bytes: Buffer) => string;

/** The server's own charsets: what a collation's number means there. */
export interface Charsets {
  of(collation: number): Charset | undefined;
  /** @throws LockstepError COLUMN_TYPE_UNSUPPORTED. */
  decoding(charset: Charset): Promise<TextDecoding>;
}

const utf8: TextDecoding = (bytes) => bytes.toString("utf8");
const known: Readonly<Record<string, TextDecoding>> = {
  utf8,
  utf8mb3: utf8,
  utf8mb4: utf8,
  ascii: utf8,
  ucs2: (bytes) => Buffer.from(bytes).swap16().toString("utf16le"),
  utf16: (bytes) => Buffer.from(bytes).swap16().toString("utf16le"),
  utf16le: (bytes) => bytes.toString("utf16le"),
  utf32: (bytes) => {
    let text = "";
    for (let i = 0; i + 3 < bytes.length; i += 4) text += String.fromCodePoint(bytes.readUInt32BE(i));
    return text;
  },
};

const collations = `SELECT l.id, s.character_set_name, s.maxlen FROM information_schema.collations l
  JOIN information_schema.character_sets s ON s.character_set_name = l.character_set_name WHERE l.id IS NOT NULL`;
/** Newer MariaDB: one collation for several charsets, a number for each. MySQL has no such numbers. */
const sharedCollations = `SELECT l.id, s.character_set_name, s.maxlen FROM information_schema.collation_character_set_applicability l
  JOIN information_schema.character_sets s ON s.character_set_name = l.character_set_name WHERE l.id IS NOT NULL`;

/** Asks the server for its charsets, and for the characters of those that aren't Unicode: its own tables are the only exact ones. */
export async function loadCharsets(connections: Connections): Promise<Charsets> {
  const read = (sql: string) => connections.use((session) => session.rows(sql));
  const rows = [...(await read(collations)), ...(await read(sharedCollations).catch(() => []))];
  const byCollation = new Map<number, Charset>();
  for (const [id, name, maxBytes] of rows) {
    byCollation.set(Number(id), { name: String(name), maxBytes: Number(maxBytes) });
  }
  const asked = new Map<string, Promise<TextDecoding>>();
  return {
    of: (collation) => byCollation.get(collation),
    decoding(charset) {
      const decoding = known[charset.name];
      if (decoding) return Promise.resolve(decoding);
      const table = asked.get(charset.name) ?? askFor(connections, charset);
      table.catch(() => asked.delete(charset.name));
      asked.set(charset.name, table);
      return table;
    },
  };
}

async function askFor(connections: Connections, { name, maxBytes }: Charset): Promise<TextDecoding> {
  if (maxBytes > 2) {
    throw new LockstepError(
      "COLUMN_TYPE_UNSUPPORTED",
      `texts in the charset ${name} can't be read from the log`,
    );
  }
  const bytes = Array.from({ length: 256 }, (_, i) => i);
  const singles = await characters(
    connections,
    name,
    bytes.map((byte) => [byte]),
  );
  if (maxBytes === 1)
    return (text) => {
      let decoded = "";
      for (const byte of text) decoded += singles[byte] ?? "?";
      return decoded;
    };
  const pairs = new Map<number, string>();
  for (const lead of bytes.slice(0x80)) {
    if (singles[lead] !== undefined) continue;
    const row = await characters(
      connections,
      name,
      bytes.map((trail) => [lead, trail]),
    );
    row.forEach((character, trail) => {
      if (character !== undefined) pairs.set(lead * 256 + trail, character);
    });
  }
  return (text) => {
    let decoded = "";
    for (let i = 0; i < text.length; i++) {
      const single = singles[text[i]!];
      decoded += single ?? pairs.get(text[i]! * 256 + (text[++i] ?? 0)) ?? "?";
    }
    return decoded;
  };
}

/** The characters that these byte sequences are; `undefined` for those that are none. */
async function characters(
  connections: Connections,
  charset: string,
  sequences: readonly (readonly number[])[],
): Promise<(string | undefined)[]> {
  const columns = sequences.map((bytes) => {
    const hex = Buffer.from(bytes).toString("hex");
    return `CONVERT(CONVERT(X'${hex}' USING ${quoteName(charset)}) USING utf8mb4)`;
  });
  const [row] = await connections.use((session) => session.rows(`SELECT ${columns.join(", ")}`));
  return row!.map((text, i) => {
    const isQuestion = sequences[i]!.length === 1 && sequences[i]![0] === 0x3f;
    return text === null || (String(text).includes("?") && !isQuestion) ? undefined : String(text);
  });
}
