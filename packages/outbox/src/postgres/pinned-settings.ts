/** The settings that the text of a value could depend on, beside the search_path, and what they are when it is written. */
export const printing = {
  DateStyle: "ISO, MDY",
  TimeZone: "UTC",
  IntervalStyle: "postgres",
  extra_float_digits: "1",
  bytea_output: "hex",
  lc_monetary: "C",
  quote_all_identifiers: "off",
} as const;

/** A setting of {@link printing}. */
export type Printing = keyof typeof printing;

/** What a function that pins one of them has in its declaration. Pure. */
export const pinClause = (name: Printing): string => `set ${name} = '${printing[name]}'`;

const clauses = (Object.keys(printing) as Printing[]).map(pinClause).join(" ");

/** Unqualified names are those of `pg_catalog`. */
export const pinnedPath = "set search_path = pg_catalog, pg_temp";

/** What the text of a value could depend on. */
export const textSettings = `${clauses} ${pinnedPath}`;

const byKey = `-- A policy that would hide rows is an error instead of a false delete.
set row_security = off
-- The noted rows are found by key: a scan of the whole table is never the better plan, whatever the statistics say.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off`;

/** The search_path, and what keeps the plans of the flush on the primary key. */
export const keyedSettings = `${pinnedPath}
${byKey}`;

/** The same, and what the text of a value could depend on. */
export const pinnedSettings = `${clauses} ${keyedSettings}`;

/** The same where a condition of the user's is part of a statement: it names tables and functions as the session does. */
export const pinnedForConditions = `${clauses}
${byKey}`;

/** All that a trigger function pins where it doesn't know better. */
export const triggerSettings = {
  ...printing,
  search_path: "pg_catalog, pg_temp",
  row_security: "off",
} as const;

/** Statements of PL/pgSQL that change settings, and that give them back from the variable `kept`. An error between them takes the change back by itself. Pure. */
export function pinned(
  settings: Readonly<Record<string, string>>,
  kept: string,
): { readonly pin: string; readonly release: string } {
  const names = Object.keys(settings);
  const set = (valueOf: (name: string, i: number) => string): string =>
    `perform ${names.map((name, i) => `pg_catalog.set_config('${name}', ${valueOf(name, i)}, true)`).join(", ")};`;
  return {
    pin: `${kept} := array[${names.map((name) => `pg_catalog.current_setting('${name}')`).join(", ")}];
    ${set((name) => `'${settings[name]}'`)}`,
    release: set((_, i) => `${kept}[${i + 1}]`),
  };
}
