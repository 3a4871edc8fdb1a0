/** The members of `enum('a','b')` or `set(…)`, from the catalog's text; quotes inside are doubled there. */
export function enumMembers(fullType: string): readonly string[] {
  const members: string[] = [];
  for (const match of fullType.matchAll(/'((?:[^']|'')*)'/g)) {
    members.push((match[1] ?? "").replaceAll("''", "'"));
  }
  return members;
}
