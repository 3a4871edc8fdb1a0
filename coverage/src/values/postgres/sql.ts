import { awkwardTexts } from "../column-type.js";

/** A text as an expression, whatever the session's settings. */
export function text(value: string): string {
  return `convert_from('\\x${Buffer.from(value).toString("hex")}', 'UTF8')`;
}

/** Texts in quotes. */
export function quoted(...values: readonly string[]): readonly string[] {
  return values.map((value) => `'${value.replaceAll("'", "''")}'`);
}

/** {@link awkwardTexts}, at most so long. */
export function texts(longest = Infinity): readonly string[] {
  return awkwardTexts.filter((value) => [...value].length <= longest).map(text);
}
