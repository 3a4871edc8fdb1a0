import type { ChangeLog } from "@lockstep/core";
import type { Client } from "pg";
import { unavailable, type Connections } from "./connections.js";
import { lockOf } from "./wake-up.js";

type Leadership = Awaited<ReturnType<ChangeLog["lead"]>>;

/** Takes the session lock that says who cuts ticks, on a connection of its own: when that ends, the lock is free. */
export async function tryToLead(connections: Connections, schema: string): Promise<Leadership> {
  const client = await connections.open();
  const lost = new Promise<void>((resolve) => client.once("end", () => resolve()));
  return unavailable(async () => {
    const { rows } = await client.query<{ got: string }>(
      `select pg_try_advisory_lock(${lockOf(`lead ${schema}`)}) as got`,
    );
    if (rows[0]?.got === "t") return { lost, release: () => endSoon(client) };
    await client.end();
    return undefined;
  });
}

const endTimeoutMs = 1_000;

/** A connection to a host that is gone never hears the farewell: it is not waited for. */
async function endSoon(client: Client): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<void>((resolve) => (timer = setTimeout(resolve, endTimeoutMs)));
  await Promise.race([client.end().catch(() => undefined), bound]);
  clearTimeout(timer);
}
