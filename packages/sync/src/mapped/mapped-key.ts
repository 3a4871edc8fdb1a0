import type { RowMapping } from "@lockstep/core";
import type { ComparedColumn, Key } from "../digest/column.js";
import type { MappedColumn } from "./mapped-column.js";

/** How the keys of a mapped table lead to the source's, all as canonical texts. */
export interface MappedKey {
  /** The source's key columns, in their order, in the forms that the target's key has; absent where a hash hides one. */
  readonly source?: readonly ComparedColumn[];
  /** Texts of the fixed columns, by name. */
  readonly fixed: ReadonlyMap<string, string>;
  /** Whether the source's order of keys is the target's. */
  readonly isInOrder: boolean;
  /** The source's part of a target's key; `undefined` when it isn't one of this mapping's. */
  strip(key: Key): Key | undefined;
  /** The target's key of the source's. */
  fill(key: Key): Key;
}

/** Looks at the key of a mapping. Pure. */
export function mappedKey(route: RowMapping, key: readonly MappedColumn[]): MappedKey {
  const fixed = new Map<string, string>();
  for (const { name, at, textOf } of key) {
    const column = route.columns[at]!;
    if (column.from === "fixed") fixed.set(name, textOf(column.text!));
  }
  const places = route.source.key.map((name) => key.findIndex(({ copies }) => copies?.name === name));
  const isInvertible = !places.includes(-1) && places.length + fixed.size === key.length;
  return {
    ...(isInvertible && { source: places.map((place) => key[place]!.copies!) }),
    fixed,
    isInOrder: isInvertible && places.every((place, i) => i === 0 || place > places[i - 1]!),
    strip: (texts) => {
      const isOwn = key.every(({ name }, i) => !fixed.has(name) || fixed.get(name) === texts[i]);
      return isOwn ? places.map((place) => texts[place]!) : undefined;
    },
    fill: (texts) => key.map(({ name }, i) => fixed.get(name) ?? texts[places.indexOf(i)]!),
  };
}
