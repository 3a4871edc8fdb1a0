import type { Finding } from "@lockstep/core";

/** Above this, lag figures and letters' times mislead. */
const skewMs = 1_000;

/** Compares a server's clock (milliseconds since 1970) with this process's; the time the question takes counts for nothing. */
export async function clockFinding(serverNow: () => Promise<number>): Promise<Finding> {
  const before = Date.now();
  const now = await serverNow();
  const after = Date.now();
  const skew = Math.round(Math.abs(now - (before + after) / 2) - (after - before) / 2);
  const about = { check: "source.clock", subject: "source" } as const;
  return skew > skewMs
    ? {
        ...about,
        level: "warning",
        message: `its clock differs from this machine's by ${skew} ms: lag figures are wrong by as much`,
        advice: "Let both follow the same time server (NTP).",
      }
    : { ...about, level: "ok", message: "its clock agrees with this machine's" };
}
