/** Variables of the environment that switch off a part of Lockstep without new code. */
export type Switch = "LOCKSTEP_DISABLED" | "LOCKSTEP_RELAY_DISABLED";

/** Whether it is set: `1`, `true` or `yes`. */
export function isSwitchedOff(variable: Switch): boolean {
  return ["1", "true", "yes"].includes((process.env[variable] ?? "").toLowerCase());
}
