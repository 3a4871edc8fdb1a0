// Names are taken from the fixed end (or start) of the server's message: what stands before may be a row's value (PROTOCOL.md 33).
const name = "[\\p{L}\\p{N}_$ .-]{1,130}";
const quoted = `(?:(?:\`${name}\`\\.)*)[\`'](${name})[\`']`;
const columnEnds = [
  new RegExp(`for column ${quoted} at row \\d+$`, "u"),
  new RegExp(`^Column ${quoted} cannot be null$`, "u"),
  new RegExp(`^Field ${quoted} doesn't have a default value$`, "u"),
  new RegExp(`^Unknown column ${quoted} in `, "u"),
];
const constraintForms = [
  new RegExp(`for key '(${name})'$`, "u"),
  new RegExp(`^Check constraint '(${name})' is violated\\.?$`, "u"),
  new RegExp(`^CONSTRAINT \`(${name})\` failed for `, "u"),
  new RegExp(
    `^Cannot (?:add or update a child row|delete or update a parent row): .*?CONSTRAINT \`(${name})\` FOREIGN KEY`,
    "u",
  ),
];
const tableForms = [new RegExp(`^Table '(${name})' doesn't exist$`, "u")];

/** The column a message names; `undefined` when it names none for certain. */
export function columnIn(message: string): string | undefined {
  return firstMatch(columnEnds, message);
}

/** The constraint, column or table a message names. */
export function nameIn(message: string): string | undefined {
  return firstMatch([...constraintForms, ...columnEnds, ...tableForms], message);
}

function firstMatch(forms: readonly RegExp[], message: string): string | undefined {
  for (const form of forms) {
    const match = form.exec(message);
    if (match?.[1] !== undefined) return match[1];
  }
  return undefined;
}
