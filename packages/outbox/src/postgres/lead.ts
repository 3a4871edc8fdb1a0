import type { ChangeLog } from "@lockstep/core";
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
    if (rows[0]?.got === "t") return { lost, release: () => client.end() };
    await client.end();
    return undefined;
  });
}
