import { awkwardTexts } from "../column-type.js";

/** A text as an expression; without quotes and question marks of its own, which drivers look for. */
export function text(value: string): string {
  return `CONVERT(X'${Buffer.from(value).toString("hex")}' USING utf8mb4)`;
}

/** Texts in quotes. */
export function quoted(...values: readonly string[]): readonly string[] {
  return values.map((value) => `'${value.replaceAll("'", "''")}'`);
}

/** {@link awkwardTexts} and one with a NUL character, at most so long. */
export function texts(longest = Infinity): readonly string[] {
  return [...awkwardTexts, "a\0b"].filter((value) => [...value].length <= longest).map(text);
}
