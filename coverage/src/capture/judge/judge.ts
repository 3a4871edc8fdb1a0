import { isLockstepError, type LoggedEvent } from "@lockstep/core";
import type { App } from "../app/open-app.js";
import type { Rows } from "../app/tables.js";
import type { WritePath } from "../paths/write-path.js";
import { type Context, contextsOf, managerOf } from "./contexts.js";
import { difference, replay } from "./replay.js";

/** What a cell of the matrix says. */
type Verdict = "exact" | "refused" | "notVisible" | "wrong";

/** A verdict and why. */
export interface Finding {
  readonly verdict: Verdict;
  /** For `wrong`: what differs. For `refused`: the error. For `notVisible`: why, and whether it was warned of. */
  readonly why?: string;
  /** For `exact`: events beside the needed ones, which name rows that stayed as they were. */
  readonly surplus?: number;
}

/** Runs a path in every context that it has, and says the worst that was found. */
export async function judge(app: App, path: WritePath, short: boolean): Promise<Finding> {
  let worst: Finding = { verdict: "exact" };
  let fresh = false;
  for (const context of contextsOf(path, short)) {
    if (!fresh) await app.tables.reset();
    const finding = await judgeIn(app, path, context);
    fresh = context.undone === true && finding.verdict === "exact";
    if (severity(finding) > severity(worst)) {
      worst = finding.verdict === "wrong" ? { ...finding, why: `${context.name}: ${finding.why}` } : finding;
    }
  }
  return worst;
}

function severity({ verdict, surplus = 0 }: Finding): number {
  return ["exact", "refused", "notVisible", "wrong"].indexOf(verdict) + (surplus > 0 ? 0.5 : 0);
}

interface Run {
  readonly before: Rows;
  readonly after: Rows;
  readonly events: readonly LoggedEvent[];
  readonly error: unknown;
  /** Lockstep warned of a write that it can't see. */
  readonly warned: boolean;
}

async function judgeIn(app: App, path: WritePath, context: Context): Promise<Finding> {
  const before = app.tables.begun;
  const { publisher } = app.doors[context.door];
  const blindBefore = publisher.status().blindWrites;
  const error: unknown = await context
    .run(managerOf(app, context), (manager) => path.write(app, manager))
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  const after = await app.tables.read();
  const events = await app.events.next();
  const warned = publisher.status().blindWrites > blindBefore;
  return verdictOn(path, context, { before, after, events, error, warned });
}

function verdictOn(path: WritePath, context: Context, run: Run): Finding {
  const { before, after, events, error, warned } = run;
  const { rows, surplus } = replay(before, events);
  const differs = difference(after, rows);
  const refused = isLockstepError(error, "CAPTURE_BLIND_WRITE");
  if (error !== undefined && !refused) return wrong(`failed: ${String(error)}`);
  if (context.undone) {
    const changed = difference(before, after);
    if (changed.length > 0) return wrong(`it was rolled back, yet ${changed[0]}`);
    if (events.length > 0) return wrong(`it was rolled back, yet left ${events.length} events`);
  } else if (differs.length > 0) {
    if (path.beyond !== undefined) return { verdict: "notVisible", why: path.beyond };
    return warned ? { verdict: "notVisible", why: "warned of" } : wrong(differs.join("; "));
  }
  if (refused) return { verdict: "refused", why: error.message.split(" [")[0]! };
  if (!context.undone && !path.changesNothing && difference(before, after).length === 0)
    return wrong("it was to change rows and changed none");
  if (path.changesNothing === true && difference(before, after).length > 0)
    return wrong("it was to change nothing and changed rows");
  return { verdict: "exact", ...(surplus > 0 && { surplus }) };
}

function wrong(why: string): Finding {
  return { verdict: "wrong", why };
}
