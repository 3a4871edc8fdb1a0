import type { RunningServer } from "./running-server.js";

const shared = new Map<string, Promise<string>>();

/**
 * The URL of the server that all tests of this process share: the one named in the environment, else one started on first
 * use. It is ended by the reaper when the process is gone.
 */
export function sharedServer(variable: string, start: () => Promise<RunningServer>): Promise<string> {
  const given = process.env[variable];
  if (given !== undefined && given !== "") return Promise.resolve(given);
  const known = shared.get(variable) ?? start().then((server) => server.url);
  shared.set(variable, known);
  return known;
}
