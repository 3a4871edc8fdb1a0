import { LockstepError } from "@lockstep/core";
import type { JobDesk } from "@lockstep/jobs";
import type { Fleet, FleetSource } from "../fleet/fleet.js";

/** A source whose jobs can be looked after. */
export interface SourceDesk {
  readonly source: FleetSource;
  /** Asks its desk, behind the source's door. */
  ask<T>(work: (desk: JobDesk) => Promise<T>, timeoutMs?: number): Promise<T>;
}

/** The sources that have a desk, or the one named. @throws LockstepError REQUEST_INVALID: it isn't configured, or Lockstep may not connect to it. */
export function desksOf({ sources }: Fleet, name?: string): readonly SourceDesk[] {
  if (name !== undefined && !sources.some((source) => source.name === name)) {
    const known = sources.map((source) => source.name).join(", ");
    throw new LockstepError("REQUEST_INVALID", `there is no source of that name; known: ${known}`);
  }
  const chosen = sources.filter((source) => name === undefined || source.name === name);
  const desks = chosen.flatMap((source) => {
    const { jobs } = source;
    if (jobs === undefined) return [];
    return [
      {
        source,
        ask: <T>(work: (desk: JobDesk) => Promise<T>, timeoutMs?: number) =>
          jobs.door.ask(async () => work(await jobs.open()), timeoutMs),
      },
    ];
  });
  if (name !== undefined && desks.length === 0) throw withoutUrl(name);
  return desks;
}

/** The one source that is meant. @throws LockstepError REQUEST_INVALID when there are several and none is named. */
export function deskOf(fleet: Fleet, name?: string): SourceDesk {
  const desks = desksOf(fleet, name ?? (fleet.sources.length === 1 ? fleet.sources[0]!.name : undefined));
  if (desks.length === 1 && (name !== undefined || fleet.sources.length === 1)) return desks[0]!;
  const known = fleet.sources.map((source) => source.name).join(", ");
  throw new LockstepError("REQUEST_INVALID", `body.source must name one of the sources: ${known}`);
}

function withoutUrl(name: string): LockstepError {
  return new LockstepError(
    "REQUEST_INVALID",
    `the status service may not connect to ${name}: sources.${name}.url is not configured`,
  );
}
