import type { ColumnType } from "../column-type.js";
import { asText, bytes } from "../forms.js";
import { quoted, text } from "./sql.js";

const range = (type: string, values: readonly string[]): ColumnType => ({ type, values, across: asText });

/** Ranges and multiranges of PostgreSQL. */
export const ranges: readonly ColumnType[] = [
  range("int4range", quoted("empty", "[1,5]", "(,)", "[-2147483648,2147483647)")),
  range("int8range", quoted("empty", "(1,9223372036854775807)", "[,0]")),
  range("numrange", quoted("empty", "[1.10,2.0)", "(-0.5,]", "[NaN,NaN]", "[-Infinity,Infinity]")),
  range(
    "tsrange",
    quoted("empty", '["2026-01-02 03:04:05.000001",infinity)', "(,-infinity]", '["0044-03-15 12:00:00 BC",]'),
  ),
  range("tstzrange", quoted("empty", "[2026-07-04 05:06:07.5+02,)", "[-infinity,infinity]")),
  range(
    "daterange",
    quoted("empty", "[2026-01-01,2026-12-31]", "[-infinity,infinity]", '["0044-03-15 BC",10000-01-01)'),
  ),
  range("int4multirange", quoted("{}", "{[1,3),[5,7)}", "{(,)}")),
  range("int8multirange", quoted("{}", "{[1,3),[5,9223372036854775807)}")),
  range("nummultirange", quoted("{}", "{[1.10,2.0),[3,3]}")),
  range("tsmultirange", quoted("{}", '{["2026-01-02 03:04:05.000001",infinity)}')),
  range("tstzmultirange", quoted("{}", "{[2026-07-04 05:06:07.5+02,)}")),
  range("datemultirange", quoted("{}", "{[2026-01-01,2026-12-31],[2027-02-01,)}")),
];

const array = (type: string, values: readonly string[], setup?: readonly string[]): ColumnType => ({
  type,
  declaredAs: [],
  values,
  across: asText,
  ...(setup === undefined ? {} : { setup }),
});

/** Arrays of PostgreSQL (`array: true` in TypeORM). */
export const arrays: readonly ColumnType[] = [
  array(
    "integer[]",
    quoted("{}", "{NULL}", "{1,NULL,-2147483648}", "{{1,2},{3,4}}", "[0:1]={1,2}", "[2:2][-1:0]={{1,2}}"),
  ),
  array("bigint[]", quoted("{9223372036854775807}")),
  array("numeric(12,2)[]", quoted("{1.50,NaN,-0.01}")),
  array("double precision[]", quoted("{-0,NaN,Infinity,5e-324}")),
  array("boolean[]", quoted("{t,f,NULL}")),
  array("text[]", [
    ...quoted("{}", '{""," "}', '{NULL,"NULL","null"}', '{"a,b","{c}","d\\"e","f\\\\g"}'),
    `array[${text("☃😀")}, E'tab\\tline\\n', E'\\\\N']`,
    "array[array['a','b'],array['c',null]]",
    "array_fill(repeat('x', 1000), array[200])",
  ]),
  array("character varying(10)[]", quoted('{"a ",""}')),
  array("character(3)[]", quoted('{a,"b "}')),
  array("bytea[]", ["array['\\x', '\\x00ff5c22', null]::bytea[]"]),
  array("uuid[]", quoted("{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}")),
  array("date[]", quoted("{infinity,2026-01-02,0044-03-15 BC}")),
  array("timestamp with time zone[]", quoted('{"2026-07-04 05:06:07.5+02",NULL,-infinity}')),
  array("interval[]", quoted('{"1 day -00:00:01"}')),
  array("json[]", [`array['{"a": "b,c"}', '[1, 2]', 'null']::json[]`]),
  array("jsonb[]", [`array['{"a": "b,c"}', '12345678901234567890', null]::jsonb[]`]),
  array("inet[]", quoted("{10.0.0.1/8,::1}")),
  array("int4range[]", quoted('{"[1,5)",empty}')),
  array("box[]", quoted("{(1,1),(0,0);(2,2),(1,1)}")),
  array("feeling[]", quoted('{"so so",ok,NULL}'), ["create type feeling as enum ('so so', 'ok', 'a,b')"]),
  array("even[]", quoted("{2,4}"), ["create domain even as int check (value % 2 = 0)"]),
];

const own = (type: string, values: readonly string[], ...setup: readonly string[]): ColumnType => ({
  type,
  declaredAs: [],
  values,
  setup,
  across: asText,
});

/** Types that users make, and those of the system's own. */
export const others: readonly ColumnType[] = [
  own("label", quoted("", "x ", "ü"), "create domain label as varchar(10) check (value <> 'bad')"),
  own("amount", quoted("1.50", "-0.01"), "create domain amount as numeric(10,2)"),
  { ...own("blob", ["'\\x00ff'"], "create domain blob as bytea"), across: bytes },
  own("tags", quoted('{a,"b c"}'), "create domain tags as text[]"),
  own("pair", [`row(1, 'a,b "c"')::pair`, "row(null, '')::pair"], "create type pair as (n int, t text)"),
  own("pair2[]", ["array[row(1, 'a,b')::pair2, null]"], "create type pair2 as (n int, t text)"),
  own("textrange", quoted('[a,"b,c")', "empty"), "create type textrange as range (subtype = text)"),
  own(
    "regclass",
    ["'only_here'::regclass", "'pg_class'::regclass"],
    "create table only_here (id int primary key)",
  ),
  own("regtype", ["'only_here'::regtype", "'numeric(10,2)'::regtype"]),
  own("pg_lsn", quoted("0/0", "FFFFFFFF/FFFFFFFF")),
  own("xid8", quoted("18446744073709551615")),
  own("tid", quoted("(0,1)")),
];
