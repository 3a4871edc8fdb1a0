/** The members of `enum('a','b')` or `set(…)`, from the catalog's text: quotes inside are doubled there, backslashes and line ends escaped. */
export function enumMembers(fullType: string): readonly string[] {
  const members: string[] = [];
  for (const match of fullType.matchAll(/'((?:[^']|'')*)'/g)) members.push(plain(match[1] ?? ""));
  return members;
}

const escaped: Readonly<Record<string, string>> = { n: "\n", r: "\r", "0": "\0" };

function plain(text: string): string {
  return text.replace(/''|\\(.)/g, (pair, character?: string) =>
    character === undefined ? pair.slice(1) : (escaped[character] ?? character),
  );
}
