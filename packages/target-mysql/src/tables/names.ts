/** What {@link fitsName} asks, for a message. */
export const nameLimit =
  "MySQL and MariaDB take 64 characters, none beyond U+FFFF (emoji), and no space at the end";

/** Whether MySQL and MariaDB take a table's or column's name as it is. Pure. */
export function fitsName(name: string): boolean {
  return name.length <= 64 && !/[\0\ud800-\udfff]/.test(name) && !name.endsWith(" ");
}
