import { tableId } from "./table-schema.js";

type Table = { readonly namespace: string; readonly name: string };

/** What the database does to the child rows. `set` stands for SET NULL and SET DEFAULT. */
export type ReferentialAction = "none" | "cascade" | "set";

/** A foreign key of a source that changes rows by itself. */
export interface ActiveForeignKey {
  readonly parent: Table;
  readonly parentColumns: readonly string[];
  readonly child: Table;
  readonly childColumns: readonly string[];
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
}

/** What happens to some rows of a table: they go, or these columns change. */
export type RowChange =
  { readonly kind: "delete" } | { readonly kind: "update"; readonly columns: readonly string[] };

/** A foreign key that a change of its parents acts through, and what happens to the children then. */
export interface ActingKey {
  readonly key: ActiveForeignKey;
  readonly change: RowChange;
}

/** The foreign keys of a source, as far as they lead to captured tables (PROTOCOL.md 25). */
export interface ForeignKeyGraph {
  /** Tables whose changes make the database change captured rows. */
  readonly parents: readonly Table[];
  /** What a change of rows of this table acts through. Empty when it changes no other captured row. */
  actingOn(table: Table, change: RowChange): readonly ActingKey[];
}

/** Arranges foreign keys by their parents; those that lead to no captured table are left out. Pure. */
export function foreignKeyGraph(
  foreignKeys: readonly ActiveForeignKey[],
  captured: readonly Table[],
): ForeignKeyGraph {
  const wanted = new Set(captured.map(tableId));
  // From the captured tables upward, until nothing is added: cycles end there too.
  const leading = new Set(wanted);
  for (let size = -1; size !== leading.size;) {
    size = leading.size;
    for (const { parent, child } of foreignKeys)
      if (leading.has(tableId(child))) leading.add(tableId(parent));
  }
  const useful = foreignKeys.filter(({ child }) => leading.has(tableId(child)));
  const parents = new Map(useful.map(({ parent }) => [tableId(parent), parent]));
  return {
    parents: [...parents.values()],
    actingOn: (table, change) =>
      useful
        .filter(({ parent }) => tableId(parent) === tableId(table))
        .flatMap((key) => actingKey(key, change) ?? []),
  };
}

function actingKey(key: ActiveForeignKey, change: RowChange): ActingKey | undefined {
  const changed: RowChange = { kind: "update", columns: key.childColumns };
  if (change.kind === "delete") {
    if (key.onDelete === "none") return undefined;
    return { key, change: key.onDelete === "cascade" ? change : changed };
  }
  const touches = key.parentColumns.some((column) => change.columns.includes(column));
  return touches && key.onUpdate !== "none" ? { key, change: changed } : undefined;
}
