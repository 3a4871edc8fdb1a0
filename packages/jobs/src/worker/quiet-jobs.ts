import type { Job } from "@lockstep/core";

/** Knows which jobs have not moved for a while: their process may be gone. */
export interface QuietJobs {
  /** Those of the running jobs that haven't moved for so long. One that was named isn't named again before as much time has passed. */
  among(running: readonly Pick<Job, "id" | "movedAt">[], now: number): readonly string[];
}

/** Remembers when each job was seen to move; by this process's own clock, as no other is the same. */
export function quietJobs(quietMs: number): QuietJobs {
  let seen = new Map<string, { readonly movedAt: number; readonly since: number }>();
  return {
    among(running, now) {
      const quiet: string[] = [];
      const next = new Map<string, { readonly movedAt: number; readonly since: number }>();
      for (const { id, movedAt } of running) {
        const before = seen.get(id);
        const since = before?.movedAt === movedAt ? before.since : now;
        const isQuiet = now - since >= quietMs;
        if (isQuiet) quiet.push(id);
        next.set(id, { movedAt, since: isQuiet ? now : since });
      }
      seen = next;
      return quiet;
    },
  };
}
