/** Types of columns as the log numbers them. */
export const columnType = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  timestampOld: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  timeOld: 11,
  datetimeOld: 12,
  year: 13,
  newDate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  blobCompressed: 140,
  varcharCompressed: 141,
  json: 245,
  newDecimal: 246,
  enum: 247,
  set: 248,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

const numeric: ReadonlySet<number> = new Set([
  columnType.tiny,
  columnType.short,
  columnType.long,
  columnType.float,
  columnType.double,
  columnType.longlong,
  columnType.int24,
  columnType.newDecimal,
]);

const character: ReadonlySet<number> = new Set([
  columnType.varchar,
  columnType.varString,
  columnType.string,
  columnType.blob,
  columnType.blobCompressed,
  columnType.varcharCompressed,
]);

/** Which of the two servers wrote the log: they count columns in the metadata differently. */
export type Flavour = "mysql" | "mariadb";

/** True for columns that have a bit in the list of signs. */
export function hasSign(type: number, flavour: Flavour): boolean {
  return numeric.has(type) || (flavour === "mariadb" && type === columnType.year);
}

/** True for columns that have a place in the list of charsets. */
export function hasCharset(type: number, flavour: Flavour): boolean {
  return character.has(type) || (flavour === "mariadb" && type === columnType.geometry);
}
