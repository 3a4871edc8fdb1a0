/** An identifier, quoted. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as a literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `"namespace"."name"`. */
export function quoteTable(namespace: string, name: string): string {
  return `${quoteName(namespace)}.${quoteName(name)}`;
}

/** A one-dimensional array in PostgreSQL's text form, for a parameter that is cast to an array. */
export function arrayText(items: readonly (string | null)[]): string {
  let text = "{";
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ",";
    const item = items[i];
    text += item === null || item === undefined ? "NULL" : quoteElement(item);
  }
  return `${text}}`;
}

function quoteElement(text: string): string {
  return /["\\]/.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : `"${text}"`;
}
