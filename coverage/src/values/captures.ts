import type { Engine } from "@lockstep/core";
import type { Capture } from "./run/source.js";

/** The captures that values are sent through, by the source's engine. */
export const captures: Readonly<Record<Engine, readonly Capture[]>> = {
  postgres: ["subscriber", "trigger", "wal"],
  mysql: ["subscriber", "trigger", "binlog"],
};

/** What a test sends its values through: the subscriber, and every capture where `LOCKSTEP_COVERAGE=all`. */
export function testedCaptures(from: Engine): readonly Capture[] {
  return process.env["LOCKSTEP_COVERAGE"] === "all" ? captures[from] : ["subscriber"];
}
