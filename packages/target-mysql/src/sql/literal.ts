const needsEscape = /['\\\0]/;
const special = /['\\\0]/g;

/** A name as a quoted identifier. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** `schema`.`table`. */
export function quoteTable(schema: string, name: string): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

/**
 * A text as a string literal. Maintained invariant: every session has NO_BACKSLASH_ESCAPES off and speaks utf8mb4
 * (`session/session-pin.ts`); with it on, a backslash before a quote would end the literal.
 */
export function textLiteral(text: string): string {
  return needsEscape.test(text) ? `'${text.replace(special, escaped)}'` : `'${text}'`;
}

function escaped(character: string): string {
  return character === "\0" ? "\\0" : `\\${character}`;
}
