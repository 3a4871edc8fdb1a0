import { lineOf, packedInsert } from "../packed.js";

/** How a row's parts are written in SQL, of a row named `t`; the fingerprint as a literal. */
export interface RowTexts {
  readonly fingerprint: string;
  readonly key: string;
  readonly cells: string;
  /** The condition that `t` is the row `r`. */
  readonly same: string;
  /** The table's quoted name. */
  readonly table: string;
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

/** How the rows of a row trigger are named. */
export interface TriggerRows {
  readonly new: string;
  readonly old: string;
}

/** The traceparent that the application's statement has behind it in a comment. */
const traceBehind = `case when right(current_query(), 2) = '*/' then
    substring(right(current_query(), 80) from '/[*]traceparent=''([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})''[*]/$') end`;

/** Rows of a trigger, as parameters of a dynamic statement. */
export const givenRows: TriggerRows = { new: "$1", old: "$2" };

/**
 * The statements for one shape of a table. Unqualified names are those of `pg_catalog` only: the columns of the application's table come as
 * `t."…"`, so that none can be mistaken for another. Pure.
 */
export function firingStatements(outbox: string, texts: RowTexts, rows: TriggerRows): FiringStatements {
  const { fingerprint, key, cells, same, table } = texts;
  const keyText = `array_to_json(array[${key}])::text`;
  const image = `array_to_json(array[${cells}])::text`;
  // As subqueries: asked once for a statement, not for each of its rows.
  const setting = (name: string): string => `nullif(current_setting('lockstep.${name}', true), '')`;
  const context = [
    `(select coalesce(${setting("traceparent")}, ${traceBehind}))`,
    `(select ${setting("origin")})`,
  ];
  const [traceparent, origin] = context as [string, string];
  const packed = (lines: string): string => packedInsert({ outbox, lines, fingerprint, traceparent, origin });
  const write = (op: string, key: string, image: string, before: string, from = ""): string =>
    `insert into ${outbox} (op, fingerprint, key, image, before, traceparent, origin)
    select ${op}, ${fingerprint}, ${key}, ${image}, ${before}, ${context.join(", ")}${from}`;
  const seen = (op: string, of: string, before = "null"): string =>
    write(`'${op}'`, keyText, op === "d" ? "null" : image, before, ` from ${of} t`);
  // Whatever the trigger saw: an image of a row that is there, a delete of one that is not.
  const gone = "t.tableoid is null";
  const keyOfRow = `(select ${keyText} from (select r.*) t)`;
  const found = (value: string, otherwise: string): string =>
    `case when ${gone} then ${otherwise} else ${value} end`;
  const joined = (of: string): string => ` from ${of} r left join ${table} t on ${same}`;
  const again = (op: string, of: string, before = "null"): string =>
    write(
      found(`'${op}'`, "'d'") + `::"char"`,
      found(keyText, keyOfRow),
      found(image, "null"),
      before === "null" ? before : found(before, "null"),
      joined(of),
    );
  const of = transitionTable;
  // Asked in the statement that writes them, so that it costs next to nothing.
  const ifFew = ` where (select count(*) from (select from ${of} limit ${worthPacking}) f) < ${worthPacking}`;
  const rowsSeen = (op: string): OfRows => ({
    few: seen(op, of) + ifFew,
    many: packed(`select ${lineOf(`'${op}'`, keyText, op === "d" ? undefined : image)} as line from ${of} t`),
  });
  const rowsAgain = (op: string): OfRows => ({
    few: again(op, of) + ifFew,
    many: packed(
      `select ${found(lineOf(`'${op}'`, keyText, image), lineOf("'d'", keyOfRow))} as line${joined(of)}`,
    ),
  });
  const one = { new: `(select (${rows.new}).*)`, old: `(select (${rows.old}).*)` };
  const before = `nullif((select ${keyText} from ${one.old} t), ${keyText})`;
  return {
    truncate: write("'t'", "'[]'", "null", "null"),
    statement: { INSERT: rowsSeen("i"), UPDATE: rowsSeen("u"), DELETE: rowsSeen("d") },
    row: { INSERT: seen("i", one.new), UPDATE: seen("u", one.new, before), DELETE: seen("d", one.old) },
    statementAgain: { INSERT: rowsAgain("i"), UPDATE: rowsAgain("u"), DELETE: rowsAgain("u") },
    rowAgain: {
      INSERT: again("i", one.new),
      UPDATE: again("u", one.new, before),
      DELETE: again("u", one.old),
    },
  };
}
