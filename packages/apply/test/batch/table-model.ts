import { type ChangeEvent, fingerprintOf, type RowImage, type TableSchema, tableId } from "@lockstep/core";
import type { Segment } from "../../src/batch/planned-changes.js";

/** A schema with a text key `id` and text columns. */
export function schemaOf(
  name: string,
  columns: readonly string[],
  key: readonly string[] = ["id"],
): TableSchema {
  const schema = {
    engine: "postgres" as const,
    namespace: "public",
    name,
    columns: columns.map((column) => ({
      name: column,
      type: "text",
      kind: "text" as const,
      nullable: true,
    })),
    key,
  };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

/** Tables in memory: what a database holds after changes, by table, key and column. */
export class TableModel {
  readonly tables = new Map<string, Map<string, Record<string, string | null>>>();

  #rows(schema: TableSchema) {
    const id = tableId(schema);
    let rows = this.tables.get(id);
    if (!rows) this.tables.set(id, (rows = new Map()));
    return rows;
  }

  upsert(schema: TableSchema, key: string, image: RowImage, before?: string): void {
    const rows = this.#rows(schema);
    const old = rows.get(before ?? key) ?? {};
    if (before !== undefined && before !== key) {
      if (rows.has(before) && rows.has(key)) throw new Error("duplicate key");
      rows.delete(before);
    }
    const row = { ...old };
    schema.columns.forEach((column, i) => {
      const cell = image[i];
      if (cell !== 0 && cell !== undefined) row[column.name] = cell;
    });
    rows.set(key, row);
  }

  remove(schema: TableSchema, key: string): void {
    this.#rows(schema).delete(key);
  }

  truncate(schema: TableSchema): void {
    this.#rows(schema).clear();
  }

  /** One event, as the source did it. */
  play(event: ChangeEvent, schema: TableSchema): void {
    if (event.op === "truncate") this.truncate(schema);
    else if (event.op === "delete") this.remove(schema, event.key);
    else if (event.op !== "barrier") {
      this.upsert(schema, event.key, JSON.parse(event.image ?? "[]") as RowImage, event.before);
    }
  }

  /** Segments, as a lane does it: truncates, writes (key changes first), removes. */
  applySegments(segments: readonly Segment[]): void {
    for (const { truncates, tables } of segments) {
      truncates.forEach((schema) => this.truncate(schema));
      for (const { schema, writes } of tables) {
        for (const write of [...writes].sort((a, b) => Number(!a.before) - Number(!b.before))) {
          this.upsert(schema, write.key, write.image, write.before);
        }
      }
      for (const { schema, removes } of tables) removes.forEach(({ key }) => this.remove(schema, key));
    }
  }

  /** Rows in a comparable form. */
  contents(): unknown {
    return [...this.tables]
      .filter(([, rows]) => rows.size > 0)
      .map(([id, rows]) => [id, [...rows].sort(([a], [b]) => (a < b ? -1 : 1))] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
