import type { Engine } from "@lockstep/core";
import fc from "fast-check";
import type { ColumnType } from "../../src/values/column-type.js";
import {
  asIs,
  asText,
  bits,
  bytes,
  moment,
  momentInUtc,
  momentWithZone,
  number,
  timeAsInterval,
  truth,
  wideDecimal,
  yearAsNumber,
} from "../../src/values/forms.js";
import { text as mysqlText } from "../../src/values/mysql/sql.js";
import { text as postgresText } from "../../src/values/postgres/sql.js";

/** A column type and values of it that nobody thought of. */
export interface RandomType extends Omit<ColumnType, "values"> {
  /** SQL expressions. */
  readonly value: fc.Arbitrary<string>;
  /** Whether the other engine may be unable to hold some: those become letters. */
  readonly mayRefuse?: true;
}

const quoted = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  arbitrary.map((text) => `'${text}'`);

const digits = (min: number, max: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: min, maxLength: max });

const decimal = (whole: number, scale: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.boolean(), digits(1, whole), digits(1, scale))
    .map(([negative, before, behind]) => `${negative ? "-" : ""}${before}.${behind}`);

const unicode = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: "binary", maxLength }).map((text) => text.replaceAll("\0", "0"));

const hex = (maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength }).map((data) => Buffer.from(data).toString("hex"));

const pad = (value: number, length: number): string => String(value).padStart(length, "0");

const time = fc
  .tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999_999))
  .map(([h, m, s, us]) => `${pad(h, 2)}:${pad(m, 2)}:${pad(s, 2)}.${pad(us, 6)}`);

const date = (firstYear: number, lastYear: number): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.integer({ min: firstYear, max: lastYear }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
    )
    .map(([y, m, d]) => `${pad(y, 4)}-${pad(m, 2)}-${pad(d, 2)}`);

const moments = (firstYear: number, lastYear: number): fc.Arbitrary<string> =>
  fc.tuple(date(firstYear, lastYear), time).map((parts) => parts.join(" "));

const orBefore = (after: fc.Arbitrary<string>, before: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 4, arbitrary: after }, { weight: 1, arbitrary: before.map((text) => `${text} BC`) });
const zone = fc
  .tuple(fc.constantFrom("+", "-"), fc.nat(14), fc.nat(59))
  .map(([sign, h, m]) => `${sign}${pad(h, 2)}:${pad(m, 2)}`);
const double = fc.double().map((value) => (Object.is(value, -0) ? "-0" : String(value)));
const finite = fc
  .double({ noDefaultInfinity: true, noNaN: true })
  .map((value) => (Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}e0` : String(value)));
const json = fc.json({ maxDepth: 3 }).map((text) => text.replaceAll("\\u0000", "\\u0001"));

const postgres: readonly RandomType[] = [
  { type: "boolean", value: fc.boolean().map(String), across: truth },
  {
    type: "bigint",
    value: quoted(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)),
    across: asIs,
  },
  { type: "numeric(40,20)", value: quoted(decimal(20, 20)), across: asIs },
  { type: "numeric", value: quoted(decimal(45, 40)), across: wideDecimal, mayRefuse: true },
  { type: "double precision", value: quoted(double), across: number, mayRefuse: true },
  { type: "real", value: quoted(fc.float().map(String)), across: number, mayRefuse: true },
  { type: "text", value: unicode(60).map(postgresText), across: asIs },
  { type: "character varying(60)", value: unicode(60).map(postgresText), across: asIs },
  { type: "character(10)", value: unicode(10).map(postgresText), across: asIs },
  { type: "bytea", value: hex(60).map((text) => `'\\x${text}'`), across: bytes },
  {
    type: "bit varying",
    value: fc.string({ unit: fc.constantFrom("0", "1"), maxLength: 80 }).map((text) => `B'${text}'`),
    across: asText,
  },
  { type: "uuid", value: quoted(fc.uuid()), across: asIs },
  {
    type: "date",
    value: quoted(orBefore(date(1, 12_000), date(1, 4712))),
    across: moment,
    mayRefuse: true,
  },
  { type: "time", value: quoted(time), across: moment },
  {
    type: "timestamp",
    value: quoted(orBefore(moments(1, 12_000), moments(1, 4712))),
    across: moment,
    mayRefuse: true,
  },
  {
    type: "timestamp with time zone",
    value: quoted(fc.tuple(moments(2, 9998), zone).map((parts) => parts.join(""))),
    across: momentInUtc,
  },
  {
    type: "interval",
    value: quoted(
      fc
        .tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: -999, max: 999 }), time)
        .map(([months, days, clock]) => `${months} months ${days} days ${clock}`),
    ),
    across: asText,
  },
  { type: "json", value: json.map((text) => `${postgresText(text)}::json`), across: asIs },
  { type: "jsonb", value: json.map((text) => `${postgresText(text)}::jsonb`), across: asIs },
  {
    type: "text[]",
    value: fc
      .array(fc.option(unicode(10).map(postgresText), { nil: "null" }), { maxLength: 6 })
      .map((items) => `array[${items.join(", ")}]::text[]`),
    across: asText,
  },
  {
    type: "numrange",
    value: fc
      .tuple(fc.nat(1e6), fc.nat(1e6))
      .map(([from, more]) => `numrange(${from}, ${from} + ${more}.50)`),
    across: asText,
  },
];

const mysql: readonly RandomType[] = [
  { type: "bigint unsigned", value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String), across: asIs },
  { type: "decimal(40,20)", value: decimal(20, 20), across: asIs },
  { type: "double", value: finite, across: number },
  {
    type: "float",
    value: fc.float({ noDefaultInfinity: true, noNaN: true }).map((value) => `${value.toExponential()}`),
    across: number,
  },
  { type: "varchar(60)", value: unicode(60).map(mysqlText), across: asIs },
  { type: "char(10)", value: unicode(10).map(mysqlText), across: asIs },
  { type: "text", value: unicode(60).map(mysqlText), across: asIs },
  { type: "varbinary(60)", value: hex(60).map((text) => `X'${text}'`), across: bytes },
  { type: "binary(12)", value: hex(12).map((text) => `X'${text}'`), across: bytes },
  { type: "bit(64)", value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String), across: bits },
  { type: "uuid", value: quoted(fc.uuid()), across: asIs },
  { type: "date", value: quoted(date(0, 9999)), across: moment, mayRefuse: true },
  { type: "datetime(6)", value: quoted(moments(1, 9999)), across: moment },
  { type: "timestamp(6) null", value: quoted(moments(1971, 2037)), across: momentWithZone },
  {
    type: "time(6)",
    value: quoted(
      fc
        .tuple(fc.constantFrom("", "-"), fc.nat(837), time)
        .map(([sign, hours, clock]) => `${sign}${pad(hours, 2)}${clock.slice(2)}`),
    ),
    across: timeAsInterval,
  },
  { type: "year", value: fc.integer({ min: 1901, max: 2155 }).map(String), across: yearAsNumber },
  { type: "json", value: json.map(mysqlText), across: asIs },
];

/** Types with random values, by the source's engine. */
export const randomTypes: Readonly<Record<Engine, readonly RandomType[]>> = { postgres, mysql };
