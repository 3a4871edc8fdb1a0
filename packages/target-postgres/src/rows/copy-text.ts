import type { Cell } from "@lockstep/core";

/** Rows in the text format of COPY. Every cell is known. */
export function copyText(rows: readonly (readonly Cell[])[]): string {
  let text = "";
  for (const cells of rows) {
    for (let i = 0; i < cells.length; i++) {
      if (i > 0) text += "\t";
      const cell = cells[i];
      text += typeof cell === "string" ? escape(cell) : "\\N";
    }
    text += "\n";
  }
  return text;
}

const special = /[\\\t\n\r]/;
const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

function escape(text: string): string {
  return special.test(text) ? text.replace(/[\\\t\n\r]/g, (character) => escapes[character]!) : text;
}
