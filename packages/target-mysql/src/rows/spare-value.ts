import type { TargetColumn } from "../tables/catalog.js";

// Another value for each row of one statement.
const digest = "MD5(CONCAT(UUID(),RAND()))";

function randomUpTo(hexDigits: number): string {
  return `CAST(CONV(LEFT(${digest},${hexDigits}),16,10) AS SIGNED)`;
}

const integers: Readonly<Record<string, { readonly least: string; readonly hexDigits: number }>> = {
  smallint: { least: "-32768", hexDigits: 3 },
  mediumint: { least: "-8388608", hexDigits: 5 },
  int: { least: "-2147483648", hexDigits: 7 },
  bigint: { least: "-9223372036854775808", hexDigits: 15 },
};

/**
 * An SQL expression for a value of the column's type that no row is likely to hold, new for each row; `undefined` for types with too few
 * values (TINYINT, BIT, ENUM) or no easy ones. Should a value be taken after all, the unique key says so and the lane tries again.
 */
export function spareValue(column: TargetColumn): string | undefined {
  const integer = integers[column.type];
  if (integer !== undefined) return spareInteger(column, integer);
  switch (column.type) {
    case "char":
    case "varchar":
      return (column.length ?? 0) < 6 ? undefined : `LEFT(${digest},${Math.min(column.length ?? 0, 32)})`;
    case "tinytext":
    case "text":
    case "mediumtext":
    case "longtext":
      return digest;
    case "binary":
    case "varbinary":
      return (column.length ?? 0) < 4
        ? undefined
        : `UNHEX(LEFT(${digest},${2 * Math.min(column.length ?? 0, 16)}))`;
    case "uuid":
      return "UUID()";
    case "decimal":
      return spareDecimal(column);
    case "double":
      return `-1e300*RAND()`;
    case "date":
      return `'5000-01-01' + INTERVAL ${randomUpTo(5)} DAY`;
    case "datetime":
      return `'5000-01-01 00:00:00' + INTERVAL ${randomUpTo(9)} SECOND`;
    default:
      return undefined;
  }
}

function spareInteger(column: TargetColumn, range: { least: string; hexDigits: number }): string {
  const random = randomUpTo(range.hexDigits);
  // The lower end is the emptier one where there is a sign, the upper half where there is none.
  if (!/unsigned/.test(column.fullType)) return `${range.least}+${random}`;
  return `${random}+${range.least.slice(1)}`;
}

function spareDecimal(column: TargetColumn): string | undefined {
  const digits = (column.precision ?? 0) - (column.scale ?? 0);
  if (digits < 4) return undefined;
  const hexDigits = Math.min(15, Math.floor((digits - 1) / Math.log10(16)));
  return `-1-${randomUpTo(hexDigits)}`;
}
