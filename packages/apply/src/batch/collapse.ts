import { assertNever, type TableSchema, tableId } from "@lockstep/core";
import type { Part, Segment, TableChanges } from "./planned-changes.js";
import { type Origin, RowStates } from "./row-states.js";

/** Finds a schema by fingerprint; every fingerprint of the events must be known by now. */
export type SchemaOf = (fingerprint: string) => TableSchema;

interface OpenSegment {
  readonly truncates: TableSchema[];
  readonly tables: Map<string, OpenTable>;
  /** The same tables by fingerprint: found without building a name for every event. */
  readonly bySchema: Map<string, OpenTable>;
  /** The table last met. */
  last: { readonly schema: TableSchema; readonly table: OpenTable } | undefined;
}

interface OpenTable {
  readonly key: string;
  readonly states: RowStates;
}

/**
 * The newest image of each row, the rows that are gone, and the key changes of a run of events: applying the segments set-wise
 * leaves what applying the events one by one leaves. Pure.
 *
 * - a partial image is laid over the older one, never supersedes it (PROTOCOL.md 18)
 * - a `truncate`, a schema with another primary key, and what can't be joined without losing cells begin a new segment
 * - `barrier` changes nothing
 */
export function collapse(parts: readonly Part[], schemaOf: SchemaOf): Segment[] {
  const done: Segment[] = [];
  let open = emptySegment();
  let fingerprint = "";
  let schema: TableSchema | undefined;
  for (const part of parts) {
    for (const event of part.events) {
      if (event.op === "barrier") continue;
      // Events of one table mostly come in a row: no look-up for each.
      if (schema === undefined || event.schema !== fingerprint) schema = schemaOf(event.schema);
      fingerprint = event.schema;
      const origin: Origin = { event, part, schema };
      if (startsAnew(open, origin)) {
        done.push(close(open));
        open = emptySegment();
      }
      note(open, origin);
    }
  }
  done.push(close(open));
  return done.filter((segment) => segment.truncates.length > 0 || segment.tables.length > 0);
}

function note(open: OpenSegment, origin: Origin): void {
  const { event, schema } = origin;
  switch (event.op) {
    case "insert":
    case "update":
    case "snapshot":
      return tableOf(open, schema).states.write(event.key, origin);
    case "delete":
      return tableOf(open, schema).states.remove(event.key, origin);
    case "truncate":
      open.truncates.push(schema);
      return;
    case "barrier":
      return;
    default:
      assertNever(event.op);
  }
}

function emptySegment(): OpenSegment {
  return { truncates: [], tables: new Map(), bySchema: new Map(), last: undefined };
}

function startsAnew(open: OpenSegment, { event, schema }: Origin): boolean {
  if (event.op === "truncate") return open.tables.size > 0;
  const table = knownTable(open, schema);
  if (table !== undefined) return table.states.collides(event, schema);
  const sibling = open.tables.get(tableId(schema));
  return (
    sibling !== undefined && (sibling.key !== schema.key.join() || sibling.states.collides(event, schema))
  );
}

function knownTable(open: OpenSegment, schema: TableSchema): OpenTable | undefined {
  if (open.last?.schema === schema) return open.last.table;
  const table = open.bySchema.get(schema.fingerprint);
  if (table !== undefined) open.last = { schema, table };
  return table;
}

function tableOf(open: OpenSegment, schema: TableSchema): OpenTable {
  const known = knownTable(open, schema);
  if (known !== undefined) return known;
  const id = tableId(schema);
  const table = open.tables.get(id) ?? { key: schema.key.join(), states: new RowStates() };
  open.tables.set(id, table);
  open.bySchema.set(schema.fingerprint, table);
  return table;
}

function close(open: OpenSegment): Segment {
  const tables: TableChanges[] = [];
  for (const { states } of open.tables.values()) tables.push(...bySchema(states));
  return { truncates: open.truncates, tables };
}

// Rows of one table can follow two schemas when its definition changed inside the batch: the target takes them apart.
function bySchema(states: RowStates): TableChanges[] {
  const { writes, removes } = states.finish();
  const groups = new Map<string, { schema: TableSchema; writes: typeof writes; removes: typeof removes }>();
  const groupOf = (schema: TableSchema) => {
    let group = groups.get(schema.fingerprint);
    if (!group) groups.set(schema.fingerprint, (group = { schema, writes: [], removes: [] }));
    return group;
  };
  for (const write of writes) groupOf(write.schema).writes.push(write);
  for (const remove of removes) groupOf(remove.schema).removes.push(remove);
  return [...groups.values()];
}
