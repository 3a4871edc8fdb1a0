import { type JobRequest, type LockstepConfig, type Schedule, sourceOf } from "@lockstep/config";

/** What a schedule asks for. Pure. */
export function requestOf(schedule: Schedule): JobRequest {
  const { kind, source: _, cron: __, timeZone: ___, window: ____, ...options } = schedule;
  return { kind, options } as JobRequest;
}

/** Its times, as they are kept: with other ones nothing counts as missed. Pure. */
export function planOf({ cron, timeZone }: Pick<Schedule, "cron" | "timeZone">): string {
  return `${cron} ${timeZone}`;
}

/** The schedules of a source. Pure. */
export function schedulesOf(
  { schedules, sources }: Pick<LockstepConfig, "schedules" | "sources">,
  source: string,
): Readonly<Record<string, Schedule>> {
  return Object.fromEntries(
    Object.entries(schedules).filter(([, schedule]) => sourceOf(schedule, sources) === source),
  );
}
