import type { OutboxNames } from "../outbox-names.js";
import { insertOfOne, lineOf, packedInsert, type Packing, roomOf } from "../packed.js";

/** How a row's parts are written in SQL, of a row named `t`; the fingerprint as a literal. */
export interface RowTexts {
  readonly fingerprint: string;
  readonly key: string;
  readonly image: string;
  /** The condition that `t` is the row `r`. */
  readonly same: string;
  /** The table's quoted name. */
  readonly table: string;
}

/** The JSON array of texts, given as expressions. Pure. */
export function jsonTexts(texts: string): string {
  return `pg_catalog.array_to_json(array[${texts}])::pg_catalog.text`;
}

/** Statements by the operation that fired. */
export interface ByOperation<T = string> {
  readonly INSERT: T;
  readonly UPDATE: T;
  readonly DELETE: T;
}

/** Of a transition table: `few` writes its rows if they are not worth packing, `many` however many they are. */
export interface OfRows {
  readonly few: string;
  readonly many: string;
}

/** The same, and `some`: writes its rows, of which there are more than few, if they fit into one row of the outbox. */
export interface OfSeenRows extends OfRows {
  readonly some: string;
}

/** What is written at a firing: of many rows or of one, as the trigger saw them or as they are now. */
export interface FiringStatements {
  readonly truncate: string;
  /** Of a statement trigger's transition table: the new rows of an INSERT or UPDATE, the old ones of a DELETE. */
  readonly statement: ByOperation<OfRows>;
  /** Of one row. */
  readonly row: ByOperation;
  /** The same, read again. */
  readonly statementAgain: ByOperation<OfRows>;
  readonly rowAgain: ByOperation;
}

/** The name of the transition table. */
export const transitionTable = "lockstep_rows";

/** So many rows cost their writer no more when they are packed; their readers gain earlier. */
const worthPacking = 5;

/** More rows are not worth being tried for one row of the outbox. */
const maxTried = 200;

/** How the rows of a row trigger are named. */
export interface TriggerRows {
  readonly new: string;
  readonly old: string;
}

/** What a transaction may have set, where it isn't empty. NULLIF takes the first `=` of two texts: pg_catalog's, where nothing else is named before it. */
const given = (name: string): string => `nullif(pg_catalog.current_setting('lockstep.${name}', true), '')`;

/** The traceparent that the application's statement has behind it in a comment. */
const traceBehind = `case when pg_catalog.right(pg_catalog.current_query(), 2) operator(pg_catalog.=) '*/' then
    substring(pg_catalog.right(pg_catalog.current_query(), 80) from '/[*]traceparent=''([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})''[*]/$') end`;

const traceparent = `coalesce(${given("traceparent")}, ${traceBehind})`;
const origin = given("origin");

/** Rows of a trigger, as parameters of a dynamic statement. */
export const givenRows: TriggerRows = { new: "$1", old: "$2" };

/** Whether the transition table has so few rows that they are not packed. Asked in the statement that writes them, so that it costs next to nothing. */
const areFew = `not exists (select from ${transitionTable} offset ${worthPacking - 1})`;

/** What inserts a change, of expressions for its parts. */
function writing(outbox: string, fingerprint: string) {
  return (op: string, key: string, image: string, before: string, from = ""): string =>
    `insert into ${outbox} (op, fingerprint, key, image, before, traceparent, origin)
    select ${op}, ${fingerprint}, ${key}, ${image}, ${before}, ${traceparent}, ${origin}${from}`;
}

/** What is packed. `lines`: a query of them. */
function packing(outbox: string, fingerprint: string): (lines: string) => Packing {
  // As subqueries: asked once for a statement, not for each of its rows.
  const context = { traceparent: `(select ${traceparent})`, origin: `(select ${origin})` };
  return (lines) => ({ outbox, lines, fingerprint, ...context });
}

/**
 * Whether the transition table's rows look as if they had room in one row of the outbox: as many as there are, as wide as the first one is, whose text is about as long
 * as what it is made of. Texts that then have none are made twice.
 */
function mayHaveRoom(s: string): string {
  const first = `(select pg_catalog.pg_column_size(t.*) from ${transitionTable} t limit 1)`;
  const many = "pg_catalog.count(*)";
  return `(select ${many} operator(pg_catalog.<) ${maxTried} and (${many} operator(pg_catalog.*) ${first}) operator(pg_catalog.<=) ${roomOf(s)}
        from (select from ${transitionTable} limit ${maxTried}) c)`;
}

/** The statements for rows as a statement trigger saw them. Every name is qualified: they don't depend on a search_path. Pure. */
export function seenStatements(
  { s, outbox }: OutboxNames,
  { fingerprint, key, image }: Pick<RowTexts, "fingerprint" | "key" | "image">,
): ByOperation<OfSeenRows> {
  const write = writing(outbox, fingerprint);
  const pack = packing(outbox, fingerprint);
  const lines = (op: string): string =>
    `select ${lineOf(`'${op}'`, key, op === "d" ? undefined : image)} as line from ${transitionTable} t`;
  const seen = (op: string): OfSeenRows => ({
    few: write(
      `'${op}'`,
      key,
      op === "d" ? "null" : image,
      "null",
      ` from ${transitionTable} t where ${areFew}`,
    ),
    some: insertOfOne(s, pack(`${lines(op)} where ${mayHaveRoom(s)}`)),
    many: packedInsert(pack(lines(op))),
  });
  return { INSERT: seen("i"), UPDATE: seen("u"), DELETE: seen("d") };
}

/**
 * The statements for one shape of a table, for a search_path of `pg_catalog`: the columns of the application's table come as
 * `t."…"`, so that none can be mistaken for another. Pure.
 */
export function firingStatements(names: OutboxNames, texts: RowTexts, rows: TriggerRows): FiringStatements {
  const { outbox } = names;
  const { fingerprint, key, image, same, table } = texts;
  const write = writing(outbox, fingerprint);
  const pack = packing(outbox, fingerprint);
  const seen = (op: string, of: string, before = "null"): string =>
    write(`'${op}'`, key, op === "d" ? "null" : image, before, ` from ${of} t`);
  // Whatever the trigger saw: an image of a row that is there, a delete of one that is not.
  const gone = "t.tableoid is null";
  const keyOfRow = `(select ${key} from (select r.*) t)`;
  const found = (value: string, otherwise: string): string =>
    `case when ${gone} then ${otherwise} else ${value} end`;
  const joined = (of: string): string => ` from ${of} r left join ${table} t on ${same}`;
  const again = (op: string, of: string, before = "null"): string =>
    write(
      found(`'${op}'`, "'d'") + `::"char"`,
      found(key, keyOfRow),
      found(image, "null"),
      before === "null" ? before : found(before, "null"),
      joined(of),
    );
  const rowsAgain = (op: string): OfRows => ({
    few: `${again(op, transitionTable)} where ${areFew}`,
    many: packedInsert(
      pack(
        `select ${found(lineOf(`'${op}'`, key, image), lineOf("'d'", keyOfRow))} as line${joined(transitionTable)}`,
      ),
    ),
  });
  const one = { new: `(select (${rows.new}).*)`, old: `(select (${rows.old}).*)` };
  const before = `nullif((select ${key} from ${one.old} t), ${key})`;
  return {
    truncate: write("'t'", "'[]'", "null", "null"),
    statement: seenStatements(names, texts),
    row: { INSERT: seen("i", one.new), UPDATE: seen("u", one.new, before), DELETE: seen("d", one.old) },
    statementAgain: { INSERT: rowsAgain("i"), UPDATE: rowsAgain("u"), DELETE: rowsAgain("u") },
    rowAgain: {
      INSERT: again("i", one.new),
      UPDATE: again("u", one.new, before),
      DELETE: again("u", one.old),
    },
  };
}
