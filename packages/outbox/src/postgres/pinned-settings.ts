const printing = `set DateStyle = 'ISO, MDY' set TimeZone = 'UTC' set IntervalStyle = 'postgres' set extra_float_digits = 1
set bytea_output = 'hex' set lc_monetary = 'C' set quote_all_identifiers = off`;

/** Unqualified names are those of `pg_catalog`. */
export const pinnedPath = "set search_path = pg_catalog, pg_temp";

/** What the text of a value could depend on. */
export const textSettings = `${printing} ${pinnedPath}`;

const byKey = `-- A policy that would hide rows is an error instead of a false delete.
set row_security = off
-- The noted rows are found by key: a scan of the whole table is never the better plan, whatever the statistics say.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off`;

/** The same, and what keeps the plans of the flush on the primary key. */
export const pinnedSettings = `${textSettings}
${byKey}`;

/** The same where a condition of the user's is part of a statement: it names tables and functions as the session does. */
export const pinnedForConditions = `${printing}
${byKey}`;
