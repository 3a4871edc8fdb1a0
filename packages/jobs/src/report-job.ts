import { hostname } from "node:os";
import type { Job } from "@lockstep/core";
import { jobReports } from "@lockstep/stream";
import { sumsOf } from "./kind/job-kinds.js";
import type { OnProgress } from "./drive-job.js";
import type { OpenSync } from "./open-sync.js";

const everyMs = 1_000;
/** The rate is that of so many seconds. */
const samples = 10;

/** Says how fast a job is, and what it waits for. */
export interface ReportedJob extends Disposable {
  readonly told: OnProgress;
}

/** Begins; Redis may be away, as nobody's work depends on it. */
export function reportJob({ redis, source }: Pick<OpenSync, "redis" | "source">, job: Job): ReportedJob {
  const reports = jobReports({ redis, source: source.name });
  const owner = `${hostname()}/${process.pid}`;
  const seen: { readonly at: number; readonly rows: number }[] = [];
  let last: { readonly progress: unknown; readonly waitingFor?: string | undefined } = {
    progress: job.progress,
  };
  const say = (): void => {
    const { rows, expectedRows } = sumsOf({ ...job, state: "running", progress: last.progress });
    seen.push({ at: performance.now(), rows });
    if (seen.length > samples) seen.splice(0, 1);
    const [first, now] = [seen[0]!, seen.at(-1)!];
    const seconds = (now.at - first.at) / 1000;
    const rowsPerSecond = seconds > 0 ? Math.max(0, Math.round((rows - first.rows) / seconds)) : 0;
    const { waitingFor } = last;
    const report = {
      job: job.id,
      owner,
      rows,
      rowsPerSecond,
      ...(expectedRows !== undefined && { expectedRows }),
      ...(waitingFor !== undefined && { waitingFor }),
    };
    reports.put(report).catch(() => undefined);
  };
  const timer = setInterval(say, everyMs);
  say();
  return {
    told: (progress, waitingFor) => void (last = { progress, waitingFor }),
    [Symbol.dispose]() {
      clearInterval(timer);
      reports.close();
    },
  };
}
