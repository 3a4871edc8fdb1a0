import { CronExpressionParser } from "cron-parser";

/** When a schedule is due, and when what it has begun may run. */
export interface ScheduleTimes {
  readonly cron: string;
  /** Of the cron expression and the window. */
  readonly timeZone: string;
  /** Times of day, `HH:MM`; one that ends before it begins goes over midnight. */
  readonly window?: { readonly from: string; readonly to: string };
}

/** Whether work may go on, and when that changes. */
export interface WindowState {
  readonly isOpen: boolean;
  /** ms since 1970; absent without a window. */
  readonly changesAt?: number;
}

/** What is wrong with a cron expression, `undefined` when nothing is. Pure. */
export function cronProblem(cron: string): string | undefined {
  const fields = cron.trim().split(/\s+/);
  const form = "must be a cron expression: minute hour day month weekday, or six fields with seconds first";
  if (fields.length !== 5 && fields.length !== 6) return form;
  // Cron's hash is another in each process.
  if (fields.some((field) => /^H/i.test(field))) return `${form}; H is not known here`;
  try {
    CronExpressionParser.parse(cron, { tz: "UTC" }).next();
    return undefined;
  } catch (error) {
    return `${form} (${error instanceof Error ? error.message : "not readable"})`;
  }
}

/** Whether a text names a time zone. Pure. */
export function isTimeZone(text: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: text }));
  } catch {
    return false;
  }
}

/** The first time behind a moment, ms since 1970. A time that a clock change leaves out is due when the clock has jumped; one that comes twice, once. Pure. */
export function nextDue({ cron, timeZone }: ScheduleTimes, after: number): number {
  return CronExpressionParser.parse(cron, { tz: timeZone, currentDate: new Date(after) })
    .next()
    .getTime();
}

/** Times behind `after`, up to `until`, the oldest first and so many at most. Pure. */
export function dueBetween(times: ScheduleTimes, after: number, until: number, most: number): number[] {
  const due: number[] = [];
  for (let at = nextDue(times, after); at <= until && due.length < most; at = nextDue(times, at))
    due.push(at);
  return due;
}

/** Whether a schedule's window is open. Pure. */
export function windowAt({ window, timeZone }: ScheduleTimes, now: number): WindowState {
  if (window === undefined) return { isOpen: true };
  const [opens, closes] = [window.from, window.to].map((time) => {
    const [hour, minute] = time.split(":");
    return nextDue({ cron: `${Number(minute)} ${Number(hour)} * * *`, timeZone }, now);
  }) as [number, number];
  // What comes first: it closes before it opens again, so it is open.
  return closes < opens ? { isOpen: true, changesAt: closes } : { isOpen: false, changesAt: opens };
}

const looks = 400;

/** The first time behind a moment that lies in the window; `undefined` when none is found: it can never run. Pure. */
export function nextRun(times: ScheduleTimes, after: number): number | undefined {
  let at = after;
  for (let i = 0; i < looks; i++) {
    at = nextDue(times, at);
    const { isOpen, changesAt = at } = windowAt(times, at);
    if (isOpen) return at;
    // Whatever is due while it is closed doesn't count.
    at = changesAt - 1;
  }
  return undefined;
}
