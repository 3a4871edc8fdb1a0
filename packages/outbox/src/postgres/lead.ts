import type { ChangeLog } from "@lockstep/core";
import type { Client } from "pg";
import { inTime } from "../in-time.js";
import { defaultLeadPulse, startPulse, type LeadPulse } from "../lead-pulse.js";
import { endSoon, unavailable, type Connections } from "./connections.js";
import { lockOf } from "./wake-up.js";

type Leadership = Awaited<ReturnType<ChangeLog["lead"]>>;

/** Tries to take the session lock that says who cuts ticks. */
export interface Candidate {
  lead(): Promise<Leadership>;
  close(): Promise<void>;
}

/** The lock is held by a connection of its own: when that ends, it is free. While another relay leads, the connection is kept for the next try. */
export function candidateOf(
  connections: Connections,
  schema: string,
  pulse: LeadPulse = defaultLeadPulse,
): Candidate {
  const lock = lockOf(`lead ${schema}`);
  let kept: Client | undefined;

  async function open(): Promise<Client> {
    const client = await connections.open();
    client.once("end", () => {
      if (kept === client) kept = undefined;
    });
    return client;
  }

  async function lead(): Promise<Leadership> {
    const client = kept ?? (await open());
    kept = undefined;
    try {
      const asked = client.query<{ got: string }>(
        `${endWhenSilent(pulse.silentMs)} select pg_try_advisory_lock(${lock}) as got`,
      ) as unknown as Promise<{ rows: { got: string }[] }[]>;
      const isMine = (await inTime(asked, pulse.everyMs)).at(-1)?.rows[0]?.got === "t";
      if (isMine) return leadershipOf(client, pulse);
      kept = client;
      return undefined;
    } catch (error) {
      await endSoon(client);
      throw error;
    }
  }

  return {
    lead: () => unavailable(lead),
    close: async () => {
      if (kept) await endSoon(kept);
    },
  };
}

/** The server's end: from PostgreSQL 14 on. Before that its TCP keepalives are all there is. */
function endWhenSilent(ms: number): string {
  return `select set_config(name, '${ms}', false) from pg_settings where name = 'idle_session_timeout';`;
}

function leadershipOf(client: Client, { everyMs }: LeadPulse): NonNullable<Leadership> {
  const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
  let stop = (): void => undefined;
  const silent = new Promise<void>((resolve) => {
    stop = startPulse(() => inTime(client.query("select"), everyMs), everyMs, resolve);
  });
  const release = (): Promise<void> => {
    stop();
    return endSoon(client);
  };
  const lost = Promise.race([ended, silent]);
  void lost.then(release);
  return { lost, release };
}
