import type { JobFilter } from "@lockstep/core";
import type { JobView } from "@lockstep/jobs";
import type { WalkState } from "../fleet/cursor.js";
import type { SourceDesk } from "./source-desk.js";

/** A page of the jobs of several sources. */
export interface JobPage {
  readonly jobs: readonly JobView[];
  /** Where the next page begins; absent at the end. */
  readonly next?: WalkState;
  readonly failures: readonly { readonly source: string; readonly error: unknown }[];
}

/** The newest jobs of all sources that answer, from where each one's walk stands. */
export async function jobPage(
  desks: readonly SourceDesk[],
  filter: Omit<JobFilter, "before" | "limit">,
  limit: number,
  { cursors, done }: WalkState,
): Promise<JobPage> {
  const walked = desks.filter(({ source }) => !done.includes(source.name));
  const answers = await Promise.allSettled(
    walked.map(({ source, ask }) => {
      const before = cursors[source.name] ?? undefined;
      // One more than is shown says whether there are more.
      const wanted = { ...filter, limit: limit + 1, ...(before !== undefined && { before }) };
      return ask((desk) => desk.list(wanted));
    }),
  );
  const found = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  const jobs = found
    .toSorted((a, b) => b.startedAt - a.startedAt || Number(b.id) - Number(a.id))
    .slice(0, limit);
  const failures = answers.flatMap((answer, i) =>
    answer.status === "rejected" ? [{ source: walked[i]!.source.name, error: answer.reason as unknown }] : [],
  );
  const shown = (source: string): JobView | undefined => jobs.findLast((job) => job.source === source);
  const ended = answers.flatMap((answer, i) => {
    const { name } = walked[i]!.source;
    if (answer.status === "rejected") return [];
    const last = answer.value.at(-1);
    return last === undefined || (answer.value.length <= limit && shown(name)?.id === last.id) ? [name] : [];
  });
  const over = [...done, ...ended];
  // Of those that answered nothing is left: a walk must end, also while a source is away.
  if (found.length <= jobs.length) return { jobs, failures };
  const places = walked.map(
    ({ source: { name } }) => [name, shown(name)?.id ?? cursors[name] ?? null] as const,
  );
  return { jobs, failures, next: { cursors: Object.fromEntries(places), done: over } };
}
