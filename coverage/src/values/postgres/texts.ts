import type { ColumnType } from "../column-type.js";
import { asIs, asText, bits, bytes } from "../forms.js";
import { quoted, text, texts } from "./sql.js";

const everyByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0")).join("");
const oddLabels = ["so so", "it's", 'a "b"', "a,b", "{}", "NULL", " ", "back\\slash", "☃😀"];

/** Texts and bytes of PostgreSQL. */
export const textsAndBytes: readonly ColumnType[] = [
  {
    type: "text",
    values: [...texts(), "repeat('x', 1000000)", `repeat(${text("😀")}, 100000)`],
    across: asIs,
  },
  {
    type: "character varying(40)",
    declaredAs: ["character varying", "varchar"],
    values: [...texts(40), `repeat(${text("😀")}, 40)`],
    across: asIs,
  },
  {
    type: "character varying(300)",
    declaredAs: ["character varying", "varchar"],
    values: [...texts(300), `repeat(${text("😀")}, 300)`],
    across: asIs,
  },
  { type: "character varying", declaredAs: ["character varying", "varchar"], values: texts(), across: asIs },
  {
    type: "character(6)",
    declaredAs: ["character", "char"],
    values: [...texts(6), "'ab'", `repeat(${text("😀")}, 6)`],
    across: asIs,
  },
  { type: "bpchar", declaredAs: [], values: [...texts(6), "'ab  '"], across: asIs },
  { type: "name", declaredAs: [], values: [...texts(20), "repeat('x', 63)"], across: asIs },
  { type: '"char"', declaredAs: [], values: quoted("", "a", "\\200"), across: asText },
  {
    type: "citext",
    values: [...texts(), "'Aa'", "'aA'"],
    setup: ["create extension if not exists citext"],
    across: asIs,
  },
  {
    type: "mood",
    declaredAs: ["enum"],
    values: oddLabels.map(text).map((label) => `${label}::mood`),
    setup: [
      `do $$ begin execute 'create type mood as enum (' || array_to_string(array[${oddLabels
        .map((label) => `quote_literal(${text(label)})`)
        .join(", ")}], ',') || ')'; end $$`,
    ],
    across: asIs,
  },
  {
    type: "uuid",
    values: quoted(
      "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
      "00000000-0000-0000-0000-000000000000",
      "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ),
    across: asIs,
  },
  {
    type: "bytea",
    values: [
      "''",
      "'\\x00'",
      "'\\x5c785c'",
      `'\\x${everyByte}'`,
      "convert_to('\\x00', 'UTF8')",
      "decode(repeat('00ff27', 100000), 'hex')",
    ],
    across: bytes,
  },
  { type: "bit(1)", declaredAs: ["bit"], values: ["B'0'", "B'1'"], across: bits },
  { type: "bit(5)", declaredAs: ["bit"], values: ["B'00000'", "B'00101'", "B'11111'"], across: bits },
  { type: "bit(64)", declaredAs: ["bit"], values: ["B'0'::bit(64)", "~B'0'::bit(64)"], across: bits },
  {
    type: "bit(100)",
    declaredAs: ["bit"],
    values: ["B'1'::bit(100)", "~B'0'::bit(100)"],
    across: asText,
  },
  {
    type: "bit varying",
    declaredAs: ["bit varying", "varbit"],
    values: ["B''", "B'0'", "B'0001'", "repeat('10', 500)::varbit"],
    across: asText,
  },
  {
    type: "bit varying(10)",
    declaredAs: ["bit varying", "varbit"],
    values: ["B''", "B'0001'", "B'1111111111'"],
    across: asText,
  },
];
