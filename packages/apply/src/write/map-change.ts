import { isLockstepError, type TargetTable } from "@lockstep/core";
import { isPartial } from "../batch/merge-images.js";
import {
  type PlannedRemove,
  type PlannedWrite,
  type SourceChange,
  withoutBefore,
} from "../batch/planned-changes.js";
import type { Refused } from "./refused.js";
import type { Route } from "./routes.js";

/** A row of one of the target's tables. */
export type RoutedRow = { readonly table: TargetTable } & (
  | { readonly kind: "write"; readonly row: PlannedWrite }
  | { readonly kind: "remove"; readonly row: PlannedRemove }
);

/**
 * The rows of the target that a change of the source becomes: one for each table it is mapped into. A row that its mapping leaves out is removed, whether
 * it was there or not. When one of the mappings fails, nothing of the change is written: the row of the source is set aside as a whole. Pure.
 */
export function mapChange(change: SourceChange, routes: readonly Route[]): readonly RoutedRow[] | Refused {
  let route = routes[0];
  try {
    return routes.flatMap((one) => {
      route = one;
      return change.kind === "write" ? mapWrite(change.row, one) : [mapRemove(change.row, one)];
    });
  } catch (error) {
    return { ...change, table: route!.table, fault: faultOf(error) };
  }
}

function mapWrite(source: PlannedWrite, { table, mapping }: Route): readonly RoutedRow[] {
  if (mapping === undefined) return [{ kind: "write", table, row: source }];
  const { event, part, before } = source;
  const image = mapping.mapRow(source.image);
  if (image === undefined) return leave(source, { table, mapping });
  const mapped = {
    key: mapping.mapKey(source.key),
    image,
    schema: table.schema,
    event,
    part,
    partial: isPartial(image),
    source: { kind: "write", row: source } as const,
  };
  return [
    {
      kind: "write",
      table,
      row: before === undefined ? mapped : { ...mapped, before: mapping.mapKey(before) },
    },
  ];
}

// Each key has its own change of the source: a letter of a removal that still named the other key could remove whichever row has taken it meanwhile.
function leave(source: PlannedWrite, route: Route): readonly RoutedRow[] {
  const { key, before, schema, event, part } = source;
  const own = mapRemove(
    { key, schema, event, part, source: { kind: "write", row: withoutBefore(source) } },
    route,
  );
  return before === undefined ? [own] : [own, mapRemove({ key: before, schema, event, part }, route)];
}

/** A removal in one of the tables that the row is mapped into. */
export function mapRemove(
  source: PlannedRemove,
  { table, mapping }: Route,
): RoutedRow & { readonly kind: "remove" } {
  if (mapping === undefined) return { kind: "remove", table, row: source };
  const { event, part, source: origin = { kind: "remove", row: source } } = source;
  const key = mapping.mapKey(source.key);
  return { kind: "remove", table, row: { key, schema: table.schema, event, part, source: origin } };
}

function faultOf(error: unknown): Refused["fault"] {
  if (!isLockstepError(error) || error.recovery !== "dead-letter") throw error;
  const { code, cause, details, message } = error;
  // What the user's code threw may quote values: it lies beside the image, under the same protection (PROTOCOL.md 33).
  const rawError = cause instanceof Error ? cause.message : message;
  const about = details["about"];
  return typeof about === "string" ? { code, about, rawError } : { code, rawError };
}
