import { listFresh } from "../fresh-records.js";
import { keysOf } from "../keys.js";
import { openLink, type LinkOptions } from "../redis-link.js";
import { putFreshScript } from "../scripts/fresh.js";
import { runScript } from "../scripts/script.js";

/** What the process that works on a job says of it; it counts for 10 s. */
export interface JobReport {
  readonly job: string;
  /** Which process. */
  readonly owner: string;
  readonly rows: number;
  readonly expectedRows?: number;
  readonly rowsPerSecond: number;
  readonly waitingFor?: string;
}

/** What is said of the jobs of a source. Every method throws LockstepError STREAM_UNAVAILABLE when Redis can't be reached. */
export interface JobReports {
  put(report: JobReport): Promise<void>;
  list(): Promise<readonly JobReport[]>;
  close(): void;
}

/** How fast jobs are and what they wait for: nothing that anybody would miss in their records. */
export function jobReports(options: LinkOptions & { readonly source: string }): JobReports {
  const keys = keysOf(options.source);
  const link = openLink(options);
  return {
    async put(report) {
      const text = JSON.stringify(report);
      await link.call((client) => runScript(client, putFreshScript, [keys.jobs], [report.job, text, ""]));
    },
    list: () => link.call((client) => listFresh<JobReport>(client, keys.jobs)),
    close: () => link.close(),
  };
}
