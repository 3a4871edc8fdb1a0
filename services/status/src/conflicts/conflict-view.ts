import type { ConflictDetail, ConflictEntry } from "@lockstep/core";
import { letterIdOf } from "../fleet/addresses.js";
import { maskKey, maskText } from "../letters/mask.js";
import type { Shade } from "../letters/shade.js";
import type { ConflictDetailView, ConflictView } from "./conflict-schema.js";

/** A conflict as lists show it. */
export function conflictView(
  conflict: ConflictEntry,
  target: string,
  { mask, schemas }: Shade,
): ConflictView {
  const { id, source, partition, table, key, position, at, policy, outcome } = conflict;
  return {
    id: letterIdOf(target, id),
    target,
    source,
    partition,
    table,
    key: maskKey(mask, table, key, schemas.latest(source, table)),
    position,
    at: new Date(at).toISOString(),
    policy,
    outcome,
  };
}

/** A conflict with its rows. */
export function conflictDetailView(
  conflict: ConflictDetail,
  target: string,
  shade: Shade,
): ConflictDetailView {
  const masked = new Set<string>();
  const shown = (text: string | undefined): Record<string, string | null> | null => {
    if (text === undefined) return null;
    const cells = Object.entries(JSON.parse(text) as Readonly<Record<string, string | null>>);
    const visible = cells.map(([column, cell]): [string, string | null] => {
      if (!shade.mask.hides(conflict.table, column)) return [column, cell];
      masked.add(column);
      return [column, maskText];
    });
    return Object.fromEntries(visible);
  };
  const { source, target: theirs, result } = conflict.images;
  const images = { source: shown(source), target: shown(theirs), result: shown(result) };
  return { ...conflictView(conflict, target, shade), images, masked: [...masked] };
}
