import { pinClause, printing, type Printing } from "../pinned-settings.js";
import { quoteText } from "../quote.js";

/** How the text of some types depends on a setting. */
interface Dependence {
  readonly types: readonly string[];
  /** The condition that texts come out as with the pinned value, of the setting's value as an expression. */
  readonly isSame: (value: string) => string;
}

const oneOf =
  (...values: readonly string[]) =>
  (value: string): string =>
    `${value} operator(pg_catalog.=) any ('{${values.map((v) => `"${v}"`).join(",")}}')`;

const floats = ["float4", "float8", "point", "line", "lseg", "box", "path", "polygon", "circle"];
const dates = ["date", "time", "timetz", "timestamp", "timestamptz"];

const dependences: Readonly<Partial<Record<Printing, Dependence>>> = {
  // The order of day and month is for what is read.
  DateStyle: { types: dates, isSame: (value) => `pg_catalog.starts_with(${value}, 'ISO')` },
  TimeZone: { types: ["timetz", "timestamptz"], isSame: oneOf("UTC", "Etc/UTC", "GMT", "Etc/GMT") },
  IntervalStyle: { types: ["interval"], isSame: oneOf("postgres") },
  // All above 0 print the shortest text that is exact.
  extra_float_digits: { types: floats, isSame: oneOf("1", "2", "3") },
  bytea_output: { types: ["bytea"], isSame: oneOf("hex") },
  lc_monetary: { types: ["money"], isSame: oneOf("C", "POSIX") },
};

/** Types that print the same under all settings. */
const plain: ReadonlySet<string> = new Set(
  "bool int2 int4 int8 numeric oid text varchar bpchar char name enum uuid json jsonb bit varbit inet cidr macaddr macaddr8 tsvector tsquery pg_lsn".split(
    " ",
  ),
);

/**
 * The settings that texts of these types depend on; `undefined`: who knows. Types as {@link printedTypes} names them. Pure.
 */
export function settingsOf(types: readonly string[]): readonly Printing[] | undefined {
  const entries = Object.entries(dependences) as [Printing, Dependence][];
  const dependent = new Set(entries.flatMap(([, dependence]) => dependence.types));
  if (types.some((type) => !plain.has(type) && !dependent.has(type))) return undefined;
  return entries.filter(([, d]) => d.types.some((type) => types.includes(type))).map(([name]) => name);
}

/** The conditions that a session prints as the pinned values of these settings do. Pure. */
export function printsTheSame(settings: readonly Printing[]): readonly string[] {
  return settings.map((name) => dependences[name]!.isSame(`pg_catalog.current_setting('${name}')`));
}

/** Those settings with their values. */
export function pinnedValues(settings: readonly Printing[]): Readonly<Record<string, string>> {
  return Object.fromEntries(settings.map((name) => [name, printing[name]]));
}

/** The clauses by which a function pins what the texts of these types depend on, all of them where one isn't known: of an expression for an array of names. */
export function pinsOf(types: string): string {
  const names = Object.keys(printing) as Printing[];
  const printed = names.map((name) => ({ name, types: dependences[name]?.types ?? [] }));
  const known = [...plain, ...printed.flatMap((one) => one.types)].join();
  const rows = printed.map((one) => `(${quoteText(pinClause(one.name))}, '{${one.types.join()}}'::text[])`);
  return `(select coalesce(string_agg(p.clause, ' ' order by p.clause), '') from (values ${rows.join(", ")}) p(clause, types)
     where p.types && ${types} or not ${types} <@ '{${known}}')`;
}

/**
 * A query for the types that the texts of a table's columns are made of, behind domains, arrays and ranges, as a JSON array of names: `enum` for all enums, nothing
 * for what PostgreSQL doesn't bring itself, or casts to text by a function of somebody's.
 */
export function printedTypes(rel: string): string {
  return `(with recursive part(oid) as (
    select a.atttypid from pg_attribute a where a.attrelid = ${rel} and a.attnum > 0 and not a.attisdropped
    union
    select case when t.typtype = 'd' then t.typbasetype when t.typoutput = 'range_out'::regproc then r.rngsubtype else t.typelem end
      from part join pg_type t on t.oid = part.oid left join pg_range r on r.rngtypid = t.oid
     where t.typtype = 'd' or t.typoutput in ('range_out'::regproc, 'array_out'::regproc))
  select json_agg(distinct case when k.castfunc >= 16384 then '' when k.castmethod = 'b' then 'text' when t.typtype = 'e' then 'enum'
           when t.typnamespace = 'pg_catalog'::regnamespace then t.typname else '' end)
    from part join pg_type t on t.oid = part.oid left join pg_cast k on k.castsource = t.oid and k.casttarget = 'text'::regtype
   where k.castfunc >= 16384 or not (t.typtype = 'd' or t.typoutput in ('range_out'::regproc, 'array_out'::regproc)))`;
}
