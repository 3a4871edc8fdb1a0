/**
 * Whether a row that a database printed (a JSON object of texts by column) was changed since another print of it, as far as both know its columns: a column that was added or dropped
 * since changes no row.
 */
export function changedSince(before: string, now: string): boolean {
  if (before === now) return false;
  const known = JSON.parse(before) as Readonly<Record<string, string | null>>;
  const texts = JSON.parse(now) as Readonly<Record<string, string | null>>;
  return Object.entries(known).some(([name, text]) => Object.hasOwn(texts, name) && texts[name] !== text);
}
