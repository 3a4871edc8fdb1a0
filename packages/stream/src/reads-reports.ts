import type { ReadsReport } from "@lockstep/core";
import { keysOf } from "./keys.js";
import { openLink, type LinkOptions } from "./redis-link.js";
import { putFreshScript } from "./scripts/fresh.js";
import { runScript } from "./scripts/script.js";

/** Says where the reads of a process of the application go; what was said counts for 10 s. Throws LockstepError STREAM_UNAVAILABLE when Redis can't be reached. */
export interface ReadsReports {
  put(report: ReadsReport): Promise<void>;
  close(): void;
}

/** The application's side of it; {@link redisStatusReader} reads it. */
export function readsReports(options: LinkOptions & { readonly source: string }): ReadsReports {
  const keys = keysOf(options.source);
  const link = openLink(options);
  return {
    async put(report) {
      const text = JSON.stringify(report);
      await link.call((client) =>
        runScript(client, putFreshScript, [keys.reads], [report.process, text, ""]),
      );
    },
    close: () => link.close(),
  };
}
