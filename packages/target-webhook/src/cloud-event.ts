import {
  type SinkChange,
  type SinkLane,
  type SinkTruncate,
  tableId,
  type TableSchema,
  toCanonical,
} from "@lockstep/core";

/** A CloudEvents 1.0 event in JSON. */
export interface CloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: "lockstep.row.written" | "lockstep.row.deleted" | "lockstep.table.truncated";
  /** `namespace.table`, and for a row its key's texts. */
  readonly subject: string;
  readonly datacontenttype: "application/json";
  /** Sorts as text: a receiver that keeps it with the row can tell a late event from a new one. */
  readonly sequence: string;
  /** Events with the same key come in order, one at a time. */
  readonly partitionkey: string;
  readonly data: Readonly<Record<string, unknown>>;
}

type Texts = Readonly<Record<string, string | null>>;

/** The event of a row's change. The same change has the same id whenever it is sent. */
export function rowEvent(table: TableSchema, change: SinkChange, lane: SinkLane): CloudEvent {
  const { key, image, before, position, version } = change;
  const written = image !== undefined;
  const data = {
    table: tableId(table),
    key: keyTexts(table, key),
    ...(written ? rowTexts(table, image) : {}),
    ...(before === undefined ? {} : { previousKey: keyTexts(table, before) }),
  };
  return {
    ...head(table, lane, `${position}/${written ? "written" : "deleted"}`),
    type: written ? "lockstep.row.written" : "lockstep.row.deleted",
    subject: [tableId(table), ...(JSON.parse(key) as string[])].map(encodeURIComponent).join("/"),
    sequence: version,
    partitionkey: `${tableId(table)}/${key}`,
    data,
  };
}

/** The event of a table that was emptied. */
export function truncateEvent(
  table: TableSchema,
  { position, version, only }: SinkTruncate,
  lane: SinkLane,
): CloudEvent {
  return {
    ...head(table, lane, `${position}/truncated`),
    type: "lockstep.table.truncated",
    subject: encodeURIComponent(tableId(table)),
    sequence: version,
    partitionkey: tableId(table),
    data: { table: tableId(table), ...(only === undefined ? {} : { only: textsOf(table, only) }) },
  };
}

function head(table: TableSchema, { source }: SinkLane, place: string) {
  return {
    specversion: "1.0",
    // Also a header: nothing but ASCII.
    id: `${encodeURIComponent(source)}/${encodeURIComponent(tableId(table))}/${place}`,
    source: `/lockstep/${encodeURIComponent(source)}`,
    datacontenttype: "application/json",
  } as const;
}

function keyTexts(table: TableSchema, key: string): Texts {
  const texts = JSON.parse(key) as string[];
  return textsOf(table, Object.fromEntries(table.key.map((name, i) => [name, texts[i]!])));
}

function rowTexts(table: TableSchema, image: NonNullable<SinkChange["image"]>) {
  const cells = table.columns.map(({ name }, i) => [name, image[i] ?? null] as const);
  const known = cells.filter((cell): cell is readonly [string, string | null] => cell[1] !== 0);
  const unchanged = cells.flatMap(([name, cell]) => (cell === 0 ? [name] : []));
  return {
    row: textsOf(table, Object.fromEntries(known)),
    ...(unchanged.length === 0 ? {} : { unchanged }),
  };
}

/** Canonical texts: no JSON number could hold a bigint or a numeric. */
function textsOf(table: TableSchema, texts: Texts): Texts {
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      name,
      text === null ? null : toCanonical(table.engine, columns.get(name)!, text),
    ]),
  );
}
