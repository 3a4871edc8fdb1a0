import type { Engine } from "@lockstep/core";
import type { Capture } from "./run/source.js";

/** The captures that values are sent through, by the source's engine. */
export const captures: Readonly<Record<Engine, readonly Capture[]>> = {
  postgres: ["subscriber"],
  mysql: ["subscriber", "binlog"],
};
