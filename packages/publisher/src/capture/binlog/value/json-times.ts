const two = (value: bigint): string => String(value).padStart(2, "0");
const fraction = (packed: bigint): string => `.${String(packed & 0xff_ffffn).padStart(6, "0")}`;

/** A DATE in MySQL's packed form. */
export function jsonDate(packed: bigint): string {
  const days = packed >> 41n;
  const months = days >> 5n;
  return `${String(months / 13n).padStart(4, "0")}-${two(months % 13n)}-${two(days & 31n)}`;
}

/** A DATETIME; always with microseconds. */
export function jsonDatetime(packed: bigint): string {
  const time = (packed >> 24n) & 0x1_ffffn;
  return `${jsonDate(packed)} ${clock(time)}${fraction(packed)}`;
}

/** A TIME; always with microseconds. */
export function jsonTime(packed: bigint): string {
  const value = packed < 0n ? -packed : packed;
  return `${packed < 0n ? "-" : ""}${clock((value >> 24n) & 0x3f_ffffn)}${fraction(value)}`;
}

function clock(time: bigint): string {
  return `${two(time >> 12n)}:${two((time >> 6n) & 63n)}:${two(time & 63n)}`;
}
