import type { CatalogColumn } from "../tables/catalog.js";

/** Parameters and columns an aside value is made of. */
export interface AsideSource {
  /** An SQL integer that no two rows of the statement share, and no two statements by all odds: 1 … about 10^9. */
  readonly number: string;
}

/**
 * An SQL expression for a value that fits the column and that no row has, by all odds; `undefined` for types that have no
 * such value. It lives inside one transaction: nobody sees it.
 */
export function asideValue({ type, castType }: CatalogColumn, { number }: AsideSource): string | undefined {
  const random = "replace(gen_random_uuid()::text, '-', '')";
  const [, size, scale] = /\((\d+)(?:,(-?\d+))?\)/.exec(type) ?? [];
  const room = size === undefined ? Infinity : Number(size);
  switch (castType) {
    case "text":
    case "citext":
    case "character varying":
    case "bpchar":
    case "character":
      return room >= 12 ? `left(${random}, ${Math.min(room, 32)})` : undefined;
    case "uuid":
      return "gen_random_uuid()";
    case "bytea":
      return `decode(${random}, 'hex')`;
    case "bigint":
      return `(-9000000000000000000 + ${number})::bigint`;
    case "integer":
      return `(-2147483648 + ${number})::integer`;
    case "double precision":
      return `(-1e15 + ${number})::double precision`;
    case "numeric":
      return room - Number(scale ?? 0) >= 10 ? `(-9999999999 + ${number})::numeric` : undefined;
    case "date":
      // Days: four million of them, from the year 4000 BC.
      return `('4000-01-01 BC'::date + (${number} % 4000000)::integer)`;
    case "timestamp without time zone":
    case "timestamp with time zone":
      return `('4000-01-01 00:00:00 BC'::${castType} + ${number} * interval '1 second')`;
    default:
      return castType.endsWith("range") ? `'empty'::${castType}` : undefined;
  }
}
