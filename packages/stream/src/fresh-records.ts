import type { RedisClient } from "./redis-link.js";
import { listFreshScript } from "./scripts/fresh.js";
import { runScript } from "./scripts/script.js";

/** How long a report or an announcement counts, ms. */
export const freshForMs = 10_000;

/** The records of a hash that are still fresh, in the order of their fields. */
export async function listFresh<T>(client: RedisClient, key: string): Promise<T[]> {
  const flat = (await runScript(client, listFreshScript, [key], [freshForMs])) as string[];
  const records = new Map<string, T>();
  for (let i = 0; i + 1 < flat.length; i += 2) records.set(flat[i]!, JSON.parse(flat[i + 1]!) as T);
  return [...records.keys()].toSorted().map((field) => records.get(field)!);
}
