import { LockstepError, type LetterSchedule, type Target } from "@lockstep/core";
import type { JobDesk } from "@lockstep/jobs";
import type { Queue } from "bullmq";
import type { StatusLimits, StatusReader, StatusSource } from "../options.js";
import { type LaneAddress, parseLaneId, separator } from "./addresses.js";
import { type Door, openDoor } from "./door.js";

/** A target behind its door. One database that mirrors several sources is one target here. */
export interface FleetTarget {
  readonly name: string;
  readonly target: Target;
  readonly door: Door;
  /** Sources it mirrors. */
  readonly sources: readonly FleetSource[];
}

/** A source behind its door. */
export interface FleetSource {
  readonly name: string;
  readonly reader: StatusReader;
  readonly door: Door;
  readonly schedule: Pick<LetterSchedule, "nudge">;
  readonly targets: readonly FleetTarget[];
  readonly queues: readonly Queue[];
  /** Where its jobs are, and the door to them. */
  readonly jobs?: { readonly open: () => Promise<JobDesk>; readonly door: Door };
}

/** Everything the service looks at. */
export interface Fleet {
  readonly sources: readonly FleetSource[];
  readonly targets: ReadonlyMap<string, FleetTarget>;
  /** @throws LockstepError LANE_UNKNOWN. */
  lane(id: string): LaneAddress & { readonly from: FleetSource; readonly to: FleetTarget };
}

/** Makes the fleet. @throws LockstepError CONFIG_INVALID when names are empty, hold `~`, or mean two different things. */
export function makeFleet(
  sources: readonly StatusSource[],
  limits: Pick<StatusLimits, "askTimeoutMs" | "maxPending">,
): Fleet {
  const bounds = { timeoutMs: limits.askTimeoutMs, maxPending: limits.maxPending };
  const targets = new Map<string, FleetTarget & { sources: FleetSource[] }>();
  const made = sources.map((source) => {
    checkName("source", source.name);
    const mine = source.targets.map((target) => {
      checkName("target", target.name);
      const known = targets.get(target.name) ?? makeTarget(target, bounds);
      checkSame(known.target, target);
      targets.set(target.name, known);
      return known;
    });
    const door = openDoor({ what: `Redis of source ${source.name}`, code: "STREAM_UNAVAILABLE", ...bounds });
    const { jobs: open, ...rest } = source;
    const what = `source ${source.name}`;
    const fleetSource: FleetSource = {
      ...rest,
      door,
      targets: mine,
      queues: source.queues ?? [],
      ...(open && { jobs: { open, door: openDoor({ what, code: "SOURCE_UNAVAILABLE", ...bounds }) } }),
    };
    for (const target of mine) target.sources.push(fleetSource);
    return fleetSource;
  });
  if (new Set(made.map((s) => s.name)).size < made.length)
    throw new LockstepError("CONFIG_INVALID", "two sources have the same name");
  return { sources: made, targets, lane: (id) => findLane(made, id) };
}

function makeTarget(target: Target, bounds: { timeoutMs: number; maxPending: number }) {
  const door = openDoor({
    what: `target ${target.name}`,
    code: "TARGET_UNAVAILABLE",
    ...bounds,
    // A target that no consumer has opened yet has no tables of Lockstep's to ask.
    open: () => target.open(),
    codeOf: (error) => {
      const fault = target.classify(error);
      return fault.kind === "systemic" ? fault.code : undefined;
    },
  });
  return { name: target.name, target, door, sources: [] as FleetSource[] };
}

function findLane(sources: readonly FleetSource[], id: string) {
  const address = parseLaneId(id);
  const from = sources.find((s) => s.name === address.source);
  const to = from?.targets.find((t) => t.name === address.target);
  if (from && to) return { ...address, from, to };
  throw new LockstepError("LANE_UNKNOWN", `there is no lane of that source and target`);
}

function checkName(what: string, name: string): void {
  if (name === "" || name.includes(separator))
    throw new LockstepError("CONFIG_INVALID", `a ${what}'s name is empty or holds ${separator}`);
}

// Letters are addressed by the target's name: the same name for two databases would let a decision hit the wrong one.
function checkSame(known: Target, target: Target): void {
  if (known === target || known.address === target.address) return;
  throw new LockstepError("CONFIG_INVALID", `target ${target.name} names two databases`);
}
