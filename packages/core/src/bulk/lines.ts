import type { RowImage } from "../change-event.js";

const newline = 0x0a;

/** The images that stand in pieces of COPY's text format, some at a time. */
export async function* imagesIn(
  pieces: AsyncIterable<Buffer>,
): AsyncGenerator<readonly RowImage[], void, undefined> {
  let begun: Buffer[] = [];
  for await (const piece of pieces) {
    // A newline inside of a value is written as an escape: this one ends a line.
    const end = piece.lastIndexOf(newline);
    if (end < 0) {
      begun.push(piece);
      continue;
    }
    const whole = Buffer.concat([...begun, piece.subarray(0, end)]).toString("utf8");
    begun = end + 1 < piece.length ? [piece.subarray(end + 1)] : [];
    yield whole.split("\n").map(imageOfLine);
  }
}

/** The cells of one line. Pure. */
function imageOfLine(line: string): RowImage {
  const cells = line.split("\t");
  if (!line.includes("\\")) return cells;
  return cells.map((cell) => (cell === "\\N" ? null : cell.includes("\\") ? unescaped(cell) : cell));
}

const letters: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

function unescaped(cell: string): string {
  return cell.replace(/\\(.)/gs, (_, letter: string) => letters[letter] ?? letter);
}
