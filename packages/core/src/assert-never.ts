/** Closes a switch over a union: the compiler refuses a missing case, and a value from outside that slipped in throws. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected case: ${typeof value}`);
}
