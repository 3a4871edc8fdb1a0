import type { ColumnType } from "../column-type.js";
import { asIs, asText, bytes } from "../forms.js";
import { quoted, text, texts } from "./sql.js";

const everyByte = `X'${Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0")).join("")}'`;
const emoji = text("😀");
const oddMembers = ["so so", "it''s", 'a "b"', "(x)", "NULL", "0", "2", "1", "ü☃", "a\\\\b"];
const members = oddMembers.map((member) => `'${member}'`);

/** Texts of MySQL and MariaDB. */
export const textTypes: readonly ColumnType[] = [
  {
    type: "char(6)",
    declaredAs: ["char", "nchar", "national char"],
    values: [...texts(6), "'ab'", `REPEAT(${emoji}, 6)`],
    across: asIs,
  },
  {
    type: "varchar(40)",
    declaredAs: ["varchar", "nvarchar", "national varchar"],
    values: [...texts(40), `REPEAT(${emoji}, 40)`],
    across: asIs,
  },
  {
    type: "varchar(300) character set latin1",
    declaredAs: ["varchar"],
    values: quoted("", "a ", "äöü€", "\u0080"),
    across: asIs,
  },
  { type: "tinytext", values: [...texts(63), `REPEAT(${emoji}, 63)`], across: asIs },
  { type: "text", values: [...texts(), `REPEAT(${emoji}, 16383)`], across: asIs },
  {
    type: "text character set latin1",
    declaredAs: ["text"],
    values: ["REPEAT('ä', 65535)", "'a '"],
    across: asIs,
  },
  { type: "mediumtext", values: [...texts(), `REPEAT(${emoji}, 100000)`], across: asIs },
  { type: "longtext", values: [...texts(), "REPEAT('x', 1000000)"], across: asIs },
  { type: `enum(${members.join(",")})`, declaredAs: ["enum"], values: members, across: asIs },
  { type: "enum('','a')", declaredAs: ["enum"], values: quoted("", "a"), across: asIs },
  // What a source without strict mode holds after an invalid member.
  { type: "enum('a','b')", declaredAs: ["enum"], values: quoted("a", "invalid"), across: asIs },
  {
    type: "set('a','so so','ü','0','NULL')",
    declaredAs: ["set"],
    values: quoted("", "a", "a,so so,ü,0,NULL", "NULL"),
    across: asIs,
  },
  {
    type: "uuid",
    values: quoted("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "00000000-0000-0000-0000-000000000000"),
    across: asIs,
  },
  { type: "inet4", values: quoted("0.0.0.0", "192.168.1.1", "255.255.255.255"), across: asText },
  { type: "inet6", values: quoted("::", "::ffff:1.2.3.4", "2001:db8::ff00:42:8329"), across: asText },
  {
    type: "json",
    values: [
      ...quoted("{}", "null", '"text"', "1.10", '{"a": 1,  "a": 2}', " [1 , 2] "),
      ...quoted('{"n": 12345678901234567890.123456789012345678901234567890, "e": 1e400}'),
      text('{"☃": "😀 \\\\ \\" \\n \\u0000 \\ud83d\\ude00"}'),
      `CONCAT('"', REPEAT('x', 500000), '"')`,
    ],
    across: asIs,
  },
];

/** Bytes of MySQL and MariaDB. */
export const byteTypes: readonly ColumnType[] = [
  {
    type: "binary(4)",
    declaredAs: ["binary"],
    values: ["''", "X'00'", "X'2720'", "X'DEADBEEF'"],
    across: bytes,
  },
  {
    type: "varbinary(300)",
    declaredAs: ["varbinary"],
    values: ["''", "X'00'", "X'2000'", everyByte],
    across: bytes,
  },
  { type: "tinyblob", values: ["''", "X'5C275C'"], across: bytes },
  { type: "blob", values: ["''", everyByte, "REPEAT(X'00FF', 30000)"], across: bytes },
  { type: "mediumblob", values: ["''", everyByte], across: bytes },
  { type: "longblob", values: ["''", everyByte, "REPEAT(X'00FF27', 100000)"], across: bytes },
];
