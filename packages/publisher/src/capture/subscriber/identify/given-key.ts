import type { CapturedTable } from "../captured-tables.js";
import type { KeyColumn } from "../key-text.js";
import type { WriteStatement } from "../write.js";
import { integerText } from "./key-in-where.js";

/** As TypeORM writes an INSERT of one row, with nothing behind it. */
const insertOfOne =
  /^INSERT INTO [^(]+\("([^()]*)"\) VALUES \(((?:\$\d+|DEFAULT)(?:, (?:\$\d+|DEFAULT))*)\)$/;

/** PostgreSQL: the key that an INSERT gives the one row it makes, when its text is beyond doubt. Whether the database keeps it is another question. Pure. */
export function givenKey(
  { keys }: Pick<CapturedTable, "keys">,
  { sql, parameters }: Pick<WriteStatement, "sql" | "parameters">,
): string[] | undefined {
  const [, names, values] = insertOfOne.exec(sql) ?? [];
  if (names === undefined || values === undefined) return undefined;
  const columns = names.split('", "');
  const places = values.split(", ");
  // A name with this in it.
  if (columns.length !== places.length) return undefined;
  const key = keys.map((column) => {
    const place = places[columns.indexOf(column.name)];
    return place?.startsWith("$") ? givenText(column, parameters[Number(place.slice(1)) - 1]) : undefined;
  });
  return key.every((text) => text !== undefined) ? key : undefined;
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
