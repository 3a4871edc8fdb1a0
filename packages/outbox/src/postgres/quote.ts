/** A name as an SQL identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as an SQL literal, whatever standard_conforming_strings says. */
export function quoteText(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return text.includes("\\") ? ` E'${doubled.replaceAll("\\", "\\\\")}'` : `'${doubled}'`;
}

/** A body in dollar quotes, of a tag that it doesn't hold: tables and columns may be named like one. Pure. */
export function quoteBody(body: string, name: string): string {
  let tag = `$${name}$`;
  // With the end of the body the closing one could begin too soon.
  for (let n = 1; `${body}$`.includes(tag); n++) tag = `$${name}_${n}$`;
  return `${tag}${body}${tag}`;
}
