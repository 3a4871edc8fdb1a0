import { isIPv4 } from "node:net";
import { LockstepError } from "@lockstep/core";

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (bare === "localhost" || bare === "::1") return true;
  const v4 = bare.startsWith("::ffff:") ? bare.slice("::ffff:".length) : bare;
  return isIPv4(v4) && v4.startsWith("127.");
}

/** @throws LockstepError LISTEN_WITHOUT_TOKEN when others could reach a service that asks nobody who they are. */
export function guardListening(host: string, hasToken: boolean): void {
  if (hasToken || isLoopback(host)) return;
  throw new LockstepError(
    "LISTEN_WITHOUT_TOKEN",
    `the status service won't listen on ${host} without a token`,
  );
}
