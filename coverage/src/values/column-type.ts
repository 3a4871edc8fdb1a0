import type { Engine } from "@lockstep/core";
import type { Form } from "./forms.js";

/** One column type of a source and the values that go wrong first. The tests, the command and the document are all made of these. */
export interface ColumnType {
  /** As a CREATE TABLE says it. */
  readonly type: string;
  /** Names by which TypeORM declares it. Default: the type without its length. */
  readonly declaredAs?: readonly string[];
  /** SQL expressions, as an application of the source would write them. NULL is always added. */
  readonly values: readonly string[];
  /** Statements that must have run before: extensions, user-defined types. */
  readonly setup?: readonly string[];
  /** How it looks in the other engine. Inside one engine every value must be the same text. */
  readonly across: Form;
}

/** One engine's column types, in the order of the document. */
export interface TypeTable {
  readonly engine: Engine;
  readonly groups: readonly { readonly title: string; readonly types: readonly ColumnType[] }[];
}

/** Texts that something on the way could take for something else. */
export const awkwardTexts = [
  "",
  " ",
  "a ",
  " both ends ",
  "\\",
  "\\N",
  "\\.",
  "NULL",
  "null",
  "0",
  "-0",
  "\t\n\r\b\f\v",
  "a\\nb",
  "'quoted' \"twice\" `thrice`",
  '{a,"b"}',
  "$1 ? :name %s %",
  "☃ ä 😀 \u{1F468}\u200d\u{1F469}",
  // The same letter in two ways: whatever normalizes would make them one.
  "é e\u0301",
  "\u0001\u007f\u0080",
  "\uFEFF\u2028\u{10FFFF}",
  "[1,2]",
] as const;
