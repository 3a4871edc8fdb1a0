/** Beyond these places of the decimal point the servers print an exponent; a large number only when it has no fraction. */
const mostPlaces = 15;
const leastPlaces = -14;

/** A number as MySQL and MariaDB print a DOUBLE: the fewest digits that mean the same number. Pure. */
export function doubleText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, exponent] = Math.abs(value).toExponential().split("e") as [string, string];
  const digits = mantissa.replace(".", "");
  const places = Number(exponent) + 1;
  const sign = value < 0 ? "-" : "";
  const isWhole = digits.length <= places;
  if ((places > mostPlaces && isWhole) || places < leastPlaces) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    return `${sign}${digits[0]}${fraction}e${places - 1}`;
  }
  if (places <= 0) return `${sign}0.${"0".repeat(-places)}${digits}`;
  if (isWhole) return sign + digits.padEnd(places, "0");
  return `${sign}${digits.slice(0, places)}.${digits.slice(places)}`;
}

/** The same for DOUBLE(M, D): always D decimals. */
export function fixedText(value: number, decimals: number): string {
  if (Math.abs(value) < 1e21) return value.toFixed(decimals);
  const whole = BigInt(value).toString();
  return decimals === 0 ? whole : `${whole}.${"0".repeat(decimals)}`;
}
