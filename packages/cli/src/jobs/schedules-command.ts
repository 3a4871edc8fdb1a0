import type { JobDesk, ScheduleView } from "@lockstep/jobs";
import type { Command } from "commander";
import type { Terminal } from "../terminal.js";
import { atDesk, deskCommand, type DeskOptions, said, whoAmI } from "./jobs-command.js";

/** `lockstep schedules …`: what is begun by the clock. */
export function addSchedules(program: Command, terminal: Terminal): void {
  const schedules = program
    .command("schedules")
    .description("Looks after the schedules of the configuration; consumers run them.");
  deskCommand(
    schedules,
    "list",
    "Shows the schedules: when they run next, how the last run ended, what was missed.",
  ).action((options: DeskOptions) =>
    atDesk(options, async (desk) => print(await desk.schedules(), options, terminal)),
  );
  deskCommand(
    schedules,
    "run <name>",
    "Lets a consumer run it now, whatever its times and its window say.",
  ).action((name: string, options: DeskOptions) =>
    atDesk(options, async (desk) => said(await desk.run(name, whoAmI()), options, terminal)),
  );
  const decision = (
    verb: string,
    description: string,
    decide: (desk: JobDesk, name: string) => Promise<ScheduleView>,
  ): Command =>
    deskCommand(schedules, `${verb} <name>`, description).action((name: string, options: DeskOptions) =>
      atDesk(options, async (desk) => print([await decide(desk, name)], options, terminal)),
    );
  decision("pause", "Begins no more runs; one that is running goes on.", (desk, name) =>
    desk.setPaused(name, whoAmI()),
  );
  decision("resume", "Begins runs again, the next time it is due.", (desk, name) =>
    desk.setPaused(name, undefined),
  );
}

function print(schedules: readonly ScheduleView[], { json }: DeskOptions, terminal: Terminal): void {
  for (const schedule of schedules) terminal.out(lineOf(schedule));
  if (schedules.length === 0) terminal.out("no schedules are configured for this source");
  if (json) terminal.out(JSON.stringify({ schedules }));
}

function lineOf({
  name,
  kind,
  cron,
  timeZone,
  window,
  nextAt,
  pausedBy,
  last,
  missed,
}: ScheduleView): string {
  const parts = [
    `${cron} ${timeZone}`,
    ...(window === undefined ? [] : [`from ${window.from} to ${window.to}`]),
    ...(nextAt === undefined ? [] : [`next ${new Date(nextAt).toISOString()}`]),
    ...(pausedBy === undefined ? [] : [`paused by ${pausedBy}`]),
    last === undefined ? "never run" : lastOf(last),
    ...(missed === 0 ? [] : [`${missed} missed`]),
  ];
  return `${name}  ${kind}  ${parts.join("  ")}`;
}

function lastOf({ id, state, code, differentRows }: NonNullable<ScheduleView["last"]>): string {
  const differ = differentRows ? `, ${differentRows} rows differ` : "";
  return `last ${state}${code === undefined ? "" : ` (${code})`}, job ${id}${differ}`;
}
