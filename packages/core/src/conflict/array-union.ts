import type { Cell } from "../change-event.js";
import type { ColumnSchema } from "../table-schema.js";

/** True for columns whose values are arrays, or may be. */
export function canBeUnited({ kind, type }: ColumnSchema): boolean {
  return kind === "json" || type.endsWith("[]");
}

/** Every element of both arrays once, the source's first; where one isn't an array of one dimension, the source's value. */
export function united({ kind }: ColumnSchema, source: Cell, target: Cell): Cell {
  if (typeof source !== "string" || typeof target !== "string")
    return typeof source === "string" ? source : target;
  const form = kind === "json" ? jsonForm : postgresForm;
  const [ours, theirs] = [form.read(source), form.read(target)];
  if (ours === undefined || theirs === undefined) return source;
  const united = [...new Set([...ours, ...theirs])];
  return united.length === ours.length ? source : form.write(united);
}

/** How an array is written: its elements as texts that are equal where they are. */
interface ArrayForm {
  read(text: string): readonly string[] | undefined;
  write(elements: readonly string[]): string;
}

const jsonToken = /"(?:[^"\\]|\\.)*"|[[\]{},]|[^\s[\]{},"]+|\s+/g;

// By its tokens: JavaScript's numbers would round the long ones.
const jsonForm: ArrayForm = {
  read(text) {
    const elements = [""];
    let depth = 0;
    for (const [token] of text.matchAll(jsonToken)) {
      if (/^\s/.test(token)) continue;
      if (depth === 0 && token !== "[") return undefined;
      if (token === "]" || token === "}") depth--;
      if (depth === 1 && token === ",") elements.push("");
      else if (depth > 0) elements[elements.length - 1] += token;
      if (token === "[" || token === "{") depth++;
    }
    return elements.length === 1 && elements[0] === "" ? [] : elements;
  },
  write: (elements) => `[${elements.join(", ")}]`,
};

const element = /"(?:[^"\\]|\\.)*"|[^{}",]+/gy;

const postgresForm: ArrayForm = {
  read(text) {
    if (!text.startsWith("{") || !text.endsWith("}")) return undefined;
    const inner = text.slice(1, -1);
    if (inner === "") return [];
    const elements: string[] = [];
    element.lastIndex = 0;
    for (;;) {
      const found = element.exec(inner);
      if (found === null) return undefined;
      elements.push(found[0]);
      if (element.lastIndex === inner.length) return elements;
      if (inner[element.lastIndex++] !== ",") return undefined;
    }
  },
  write: (elements) => `{${elements.join(",")}}`,
};
