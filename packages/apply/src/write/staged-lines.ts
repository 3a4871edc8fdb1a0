import type { ChangeEvent, Op, Position, TargetTransaction } from "@lockstep/core";
import { collapse } from "../batch/collapse.js";
import type { Part, Segment } from "../batch/planned-changes.js";
import type { TableBook } from "./table-book.js";

type Line = readonly [
  position: Position,
  ordinal: number,
  op: Op,
  schema: string,
  key: string,
  image?: string | null,
  before?: string | null,
  version?: string,
];

/** An event of a very large transaction as it lies in the target's staging table. */
export function stagedLine(
  position: Position,
  { ordinal, op, schema, key, image, before, version }: ChangeEvent,
): string {
  const start = [position, ordinal, op, schema, key, image ?? null] as const;
  const moved: Line = before === undefined ? start : [...start, before];
  const line: Line = version === undefined ? moved : [...start, before ?? null, version];
  return JSON.stringify(line);
}

/** The inverse of {@link stagedLine}. */
export function readStagedLine(text: string): { readonly position: Position; readonly event: ChangeEvent } {
  const [position, ordinal, op, schema, key, image, before, version] = JSON.parse(text) as Line;
  const event = {
    ordinal,
    op,
    schema,
    key,
    ...(image == null ? {} : { image }),
    ...(before == null ? {} : { before }),
    ...(version === undefined ? {} : { version }),
  };
  return { position, event };
}

/**
 * The staged events in order, collapsed page by page, and at last the parts at hand: memory holds one page, however large the
 * transaction is (PROTOCOL.md 4).
 */
export async function* stagedPages(
  transaction: Pick<TargetTransaction, "staged">,
  tables: TableBook,
  pageEvents: number,
  last: readonly Part[],
): AsyncGenerator<readonly Segment[]> {
  let after = 0;
  for (;;) {
    const page = await transaction.staged(after, pageEvents);
    const end = page.at(-1);
    if (end === undefined) break;
    after = end.n;
    const parts = partsOf(page.map(({ line }) => readStagedLine(line)));
    tables.require(schemasOf(parts));
    yield collapse(parts, tables.schemaOf);
  }
  yield collapse(last, tables.schemaOf);
}

/** Fingerprints that the events of these parts follow. */
export function schemasOf(parts: readonly Part[]): Set<string> {
  const fingerprints = new Set<string>();
  let last = "";
  for (const { events } of parts) {
    for (const { schema, op } of events) {
      if (schema === last || op === "barrier") continue;
      last = schema;
      fingerprints.add(schema);
    }
  }
  return fingerprints;
}

function partsOf(lines: readonly { readonly position: Position; readonly event: ChangeEvent }[]): Part[] {
  const parts: { id: Position; events: ChangeEvent[] }[] = [];
  for (const { position, event } of lines) {
    if (parts.at(-1)?.id !== position) parts.push({ id: position, events: [] });
    parts.at(-1)!.events.push(event);
  }
  return parts;
}
