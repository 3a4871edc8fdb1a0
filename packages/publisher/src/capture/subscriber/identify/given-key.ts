import type { CapturedTable } from "../captured-tables.js";
import type { KeyColumn } from "../key-text.js";
import type { WriteStatement } from "../write.js";
import { integerText } from "./key-in-where.js";

/** As TypeORM writes an INSERT of one row, with nothing behind it. */
const insertOfOne =
  /^INSERT INTO [^(]+\("([^()]*)"\) VALUES \(((?:\$\d+|DEFAULT)(?:, (?:\$\d+|DEFAULT))*)\)$/;

type Table = Pick<CapturedTable, "keys">;

/** PostgreSQL: the key that an INSERT gives the one row it makes, when its text is beyond doubt. Whether the database keeps it is another question. */
export function givenKey(
  table: Table,
  { sql, parameters }: Pick<WriteStatement, "sql" | "parameters">,
): string[] | undefined {
  const key: string[] = [];
  for (const [index, place] of placesIn(table, sql).entries()) {
    const text = givenText(table.keys[index]!, parameters[place]);
    if (text === undefined) return undefined;
    key.push(text);
  }
  return key.length === 0 ? undefined : key;
}

/** The last statement of each table: most are like the one before. */
const read = new WeakMap<Table, { readonly sql: string; readonly places: readonly number[] }>();

function placesIn(table: Table, sql: string): readonly number[] {
  const last = read.get(table);
  if (last?.sql === sql) return last.places;
  const places = readPlaces(table, sql) ?? [];
  read.set(table, { sql, places });
  return places;
}

/** Where among the parameters the columns of the key are. Pure. */
function readPlaces({ keys }: Table, sql: string): number[] | undefined {
  const [, names, values] = insertOfOne.exec(sql) ?? [];
  if (names === undefined || values === undefined) return undefined;
  const columns = names.split('", "');
  const placeholders = values.split(", ");
  // A name with this in it.
  if (columns.length !== placeholders.length) return undefined;
  const places = keys.map(({ name }) => /^\$(\d+)$/.exec(placeholders[columns.indexOf(name)] ?? "")?.[1]);
  return places.includes(undefined) ? undefined : places.map((place) => Number(place) - 1);
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The text that the database prints for what the driver sends of a value. */
function givenText({ kind, type }: KeyColumn, value: unknown): string | undefined {
  if (kind === "integer") return integerText(value);
  if (typeof value !== "string") return undefined;
  if (kind === "uuid") return uuid.test(value) ? value : undefined;
  // Spaces at the end may be cut off; a half of a surrogate pair is sent as another letter.
  const isKept = /^(?:text|character varying(?:\(\d+\))?)$/.test(type) && !/ $|\p{Surrogate}/u.test(value);
  return isKept ? value : undefined;
}
