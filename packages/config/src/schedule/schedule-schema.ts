import { z } from "zod";
import { anyJob } from "./job-options.js";
import { cronProblem, isTimeZone, nextRun, type ScheduleTimes } from "./schedule-times.js";

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time of day as HH:MM");

const windowSchema = z
  .strictObject({ from: timeOfDay, to: timeOfDay })
  .refine(({ from, to }) => from !== to, "must not end when it begins");

/** A job that is begun by the clock. */
export const scheduleSchema = anyJob({
  /** Which source, when there are several. */
  source: z.string().exactOptional(),
  cron: z
    .string()
    .max(200)
    .superRefine((text, context) => {
      const problem = cronProblem(text);
      if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
    }),
  /** Of the cron expression and of the window, as in Europe/Berlin. */
  timeZone: z
    .string()
    .max(64)
    .refine(isTimeZone, "must be the name of a time zone, as Europe/Berlin")
    .default("UTC"),
  /** Only then it runs: whatever isn't done at its end is paused, and goes on in the next one. */
  window: windowSchema.exactOptional(),
});

/** A schedule of the configuration. */
export type Schedule = z.output<typeof scheduleSchema>;

/** What the schedules are about. */
interface Around {
  readonly schedules: Readonly<Record<string, Schedule>>;
  readonly sources: Readonly<Record<string, { readonly url?: string | undefined }>>;
  readonly targets: Readonly<Record<string, { readonly sources?: readonly string[] | undefined }>>;
}

/** The source that a schedule is about: the one named, or the only one. */
export function sourceOf(
  { source }: Pick<Schedule, "source">,
  sources: Readonly<Record<string, unknown>>,
): string | undefined {
  const names = Object.keys(sources);
  return source ?? (names.length === 1 ? names[0] : undefined);
}

/** What is wrong with schedules that are well formed: where, and why. Pure. */
export function misplacedSchedules({
  schedules,
  sources,
  targets,
}: Around): (readonly [path: readonly string[], message: string])[] {
  return Object.entries(schedules).flatMap(([name, schedule]) => {
    const wrong: (readonly [readonly string[], string])[] = [];
    const say = (option: string, message: string): void =>
      void wrong.push([["schedules", name, option], message]);
    const source = sourceOf(schedule, sources);
    const known = Object.keys(sources).join(", ");
    if (source === undefined) say("source", `must name one of the sources: ${known}`);
    else if (!(source in sources)) say("source", `names an unknown source; known: ${known}`);
    else if (sources[source]!.url === undefined)
      say("source", `sources.${source}.url is needed: jobs connect to the source`);
    for (const target of schedule.targets ?? []) {
      if (!(target in targets))
        say("targets", `names an unknown target: ${target}; known: ${Object.keys(targets).join(", ")}`);
      else if (source !== undefined && !(targets[target]!.sources?.includes(source) ?? true))
        say("targets", `${target} doesn't mirror ${source}`);
    }
    if (schedule.kind === "full" && schedule.where !== undefined && schedule.entities?.length !== 1)
      say("where", "is about one table: name it in entities");
    if (isWellFormed(schedule) && nextRun(schedule, Date.now()) === undefined)
      say("window", "is closed whenever the schedule is due");
    return wrong;
  });
}

/** What is said of its times already is not said again. */
function isWellFormed({ cron, timeZone, window }: ScheduleTimes): boolean {
  return (
    cronProblem(cron) === undefined &&
    isTimeZone(timeZone) &&
    (window === undefined || windowSchema.safeParse(window).success)
  );
}
