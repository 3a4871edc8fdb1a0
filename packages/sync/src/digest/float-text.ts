/** The string functions that engines name differently. */
export interface TextFunctions {
  readonly before: (text: string, mark: string) => string;
  readonly after: (text: string, mark: string) => string;
  readonly holds: (text: string, mark: string) => string;
  readonly asInteger: (text: string) => string;
  readonly asText: (number: string) => string;
  readonly when: (condition: string, yes: string, no: string) => string;
  readonly trimStart: (text: string) => string;
  readonly trimEnd: (text: string) => string;
}

/**
 * SQL that writes a float's shortest text as digits and exponent: `1e+20`, `1e20` and `100000000000000000000` are all `0.1e21`, which both engines read back. Engines agree on
 * the digits, which are the fewest that name the number, but not on how to set them. There is one zero. Pure.
 */
export function floatText(text: string, f: TextFunctions): string {
  const mantissa = `replace(${f.before(text, "e")}, '-', '')`;
  const exponent = f.when(f.holds(text, "e"), f.asInteger(f.after(text, "e")), "0");
  const digits = `replace(${mantissa}, '.', '')`;
  const significant = f.trimStart(digits);
  const place = `length(${f.before(mantissa, ".")}) + (${exponent}) - (length(${digits}) - length(${significant}))`;
  const sign = f.when(`left(${text}, 1) = '-'`, "'-'", "''");
  return f.when(
    `${f.trimEnd(significant)} = ''`,
    "'0'",
    `concat(${sign}, '0.', ${f.trimEnd(significant)}, 'e', ${f.asText(place)})`,
  );
}
