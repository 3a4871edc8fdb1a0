import type { ColumnType } from "../column-type.js";
import { asIs, asText } from "../forms.js";
import { quoted, text } from "./sql.js";

const bigNumbers = '{"n": 12345678901234567890.123456789012345678901234567890, "e": 1e400, "z": -0.0}';
const deep = `'${"[".repeat(200)}${"]".repeat(200)}'`;

/** Documents and search types of PostgreSQL. */
export const documents: readonly ColumnType[] = [
  {
    type: "json",
    values: [
      ...quoted(
        "{}",
        "null",
        '"text"',
        "1",
        bigNumbers,
        '{"a": 1,  "a": 2}',
        " [1 , 2]\n",
        '"\\u0000 \\ud800 \\ud83d\\ude00 \\/"',
      ),
      text('{"☃": "😀 \\\\ \\" \\n"}'),
      deep,
      `('"' || repeat('x', 500000) || '"')::json`,
    ].map((value) => (value.startsWith("convert_from") ? `${value}::json` : value)),
    across: asIs,
  },
  {
    type: "jsonb",
    values: [
      ...quoted("{}", "null", '"text"', "1.10", '{"b": 9007199254740993, "a": [1.10, null]}'),
      ...quoted('{"a": 1, "a": 2}', '{"n": 12345678901234567890.12345, "big": 1e100, "z": -0.0}'),
      `${text('{"☃": "😀 \\\\ \\" \\n \\u0001"}')}::jsonb`,
      deep,
      `to_jsonb(repeat('x', 500000))`,
    ],
    across: asIs,
  },
  {
    type: "jsonpath",
    values: quoted("$", '$.a[*] ? (@.b > 1.5 && @.c like_regex "^x")', 'lax $."a b"'),
    across: asText,
  },
  {
    type: "hstore",
    setup: ["create extension if not exists hstore"],
    values: quoted("", "a=>1", 'a=>NULL, b=>"NULL", "c d"=>"\\"q\\" \\\\ =>", ""=>""'),
    across: asText,
  },
  {
    type: "xml",
    values: quoted(
      "",
      "<a>&lt; 'x' \"y\" ☃😀</a>",
      "just text",
      "<a/><b/>",
      "<![CDATA[<>]]>",
      '<?xml version="1.0"?><a> </a>',
    ),
    across: asText,
  },
  { type: "tsvector", values: quoted("", "'a':1A,2 'b c':3 'd''e' 'f\\\\g'", "☃:1"), across: asText },
  { type: "tsquery", values: quoted("", "a & !(b | 'c d') <-> e:*AB", "'it''s'"), across: asText },
  {
    type: "ltree",
    setup: ["create extension if not exists ltree"],
    values: quoted("", "Top.Science.Astronomy", "a.B_1.c"),
    across: asText,
  },
  {
    type: "cube",
    setup: ["create extension if not exists cube"],
    values: quoted("1", "(1,2),(3,4)", "(-0,1e300,0.1)"),
    across: asText,
  },
];

/** Network and geometric types of PostgreSQL. */
export const networksAndShapes: readonly ColumnType[] = [
  {
    type: "inet",
    values: quoted("192.168.1.1", "192.168.1.1/24", "::1", "2001:db8::/32", "::ffff:1.2.3.4", "0.0.0.0/0"),
    across: asText,
  },
  { type: "cidr", values: quoted("192.168.1.0/24", "10.0.0.1", "2001:db8::/32", "::/0"), across: asText },
  { type: "macaddr", values: quoted("08:00:2b:01:02:03", "FF-FF-FF-FF-FF-FF"), across: asText },
  { type: "macaddr8", values: quoted("08:00:2b:01:02:03:04:05", "08:00:2b:01:02:03"), across: asText },
  {
    type: "point",
    values: quoted("(0,-0)", "(0.1,1e300)", "(NaN,Infinity)", "(5e-324,-Infinity)"),
    across: asText,
  },
  { type: "line", values: quoted("{1,-2,0.1}", "{0,1,-0}"), across: asText },
  { type: "lseg", values: quoted("[(0,0),(1.5,-2)]"), across: asText },
  { type: "box", values: quoted("(1,2),(-3,0.1)"), across: asText },
  { type: "path", values: quoted("[(0,0),(1,1)]", "((0,0),(1,1),(2,0))"), across: asText },
  { type: "polygon", values: quoted("((0,0),(1,1),(2,0))", "((0.1,1e-300))"), across: asText },
  { type: "circle", values: quoted("<(0,0),1.5>", "<(-1,0.1),0>"), across: asText },
];
