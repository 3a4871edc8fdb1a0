/**
 * How a value looks in the other engine. Written apart from the outboxes' and targets' own code: an oracle that shares it would share its
 * faults.
 */
export interface Form {
  /** `exact`: the same value, in the target's notation. `converted`: a chosen other representation, from which the value can be told. */
  readonly grade: "exact" | "converted";
  /** For the document. */
  readonly how: string;
  /** Whether the target's text is the one that this form demands for the source's text. */
  same(source: string, target: string): boolean;
  /** What few values become instead. */
  readonly otherwise?: Form;
}

const equal = (source: string, target: string): boolean => source === target;

/** The same text. */
export const asIs: Form = { grade: "exact", how: "the same text", same: equal };

/** A type that the target doesn't have. */
export const asText: Form = { grade: "converted", how: "the text that the source prints", same: equal };

/** `t`, `f` and 1, 0. */
export const truth: Form = {
  grade: "exact",
  how: "true is 1, false is 0",
  same: (source, target) => truthOf(source) === truthOf(target),
};

/** Bytes, in either notation of hexadecimal. */
export const bytes: Form = {
  grade: "exact",
  how: "the same bytes",
  same: (source, target) => hexOf(source) === hexOf(target),
};

/** Bit strings of a fixed length. */
export const bits: Form = { grade: "exact", how: "the same bits", same: equal };

/** Floating point: the same number, in either notation of exponents. */
export const number: Form = {
  grade: "exact",
  how: "the same number",
  same: (source, target) => Object.is(Number(source), Number(target)),
  otherwise: {
    grade: "converted",
    how: "-0 is 0: MariaDB has no negative zero",
    same: (source, target) => Object.is(Number(source), -0) && Number(target) === 0,
  },
};

/** The exact value of a single-precision number as a double. */
export const single: Form = {
  ...number,
  grade: "converted",
  how: "the number as double precision",
};

/** Dates and times without a zone. */
export const moment: Form = {
  grade: "exact",
  how: "the same; zeros at the end of a fraction don't count",
  same: (source, target) => withoutZeros(source) === withoutZeros(target),
};

/** A moment of PostgreSQL in a column that knows no zone. */
export const momentInUtc: Form = {
  grade: "converted",
  how: "the moment in UTC, without a zone",
  same: (source, target) => withoutZeros(source).replace(/\+00$/, "") === withoutZeros(target),
};

/** A moment of MySQL in a column with a zone. */
export const momentWithZone: Form = {
  grade: "exact",
  how: "the same moment",
  same: (source, target) => withoutZeros(source) === withoutZeros(target).replace(/\+00$/, ""),
};

/** MySQL's TIME goes beyond a day. */
export const timeAsInterval: Form = { ...moment, grade: "converted", how: "interval, hours kept" };

/** Digits behind the point that the source doesn't have. */
export const wideDecimal: Form = {
  grade: "converted",
  how: "DECIMAL with as many digits as the server has: zeros are added behind the point",
  same: (source, target) => shortDecimal(source) === shortDecimal(target),
};

/** A year of four digits. */
export const yearAsNumber: Form = {
  grade: "converted",
  how: "the year as a number (0000 is 0)",
  same: (source, target) => String(Number(source)) === target,
};

/** MySQL's internal form of a geometry. */
export const geometryAsBytes: Form = {
  ...bytes,
  grade: "converted",
  how: "bytes: the SRID (4 bytes, little-endian), then well-known binary",
};

function truthOf(text: string): boolean | undefined {
  return text === "t" || text === "1" ? true : text === "f" || text === "0" ? false : undefined;
}

function hexOf(text: string): string {
  return text.replace(/^\\x/, "").toLowerCase();
}

function withoutZeros(text: string): string {
  return text.replace(/(\.\d*?)0+(?!\d)/, "$1").replace(/\.(?!\d)/, "");
}

function shortDecimal(text: string): string {
  const short = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  return short === "-0" ? "0" : short;
}
