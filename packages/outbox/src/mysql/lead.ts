import type { ChangeLog } from "@lockstep/core";
import type mysql from "mysql2/promise";
import { inTime } from "../in-time.js";
import { defaultLeadPulse, startPulse, type LeadPulse } from "../lead-pulse.js";
import { endSoon, unavailable, type Connections } from "./connections.js";
import { quoteText } from "./quote.js";

type Leadership = Awaited<ReturnType<ChangeLog["lead"]>>;

/** Tries to take the session lock that says who cuts ticks. */
export interface Candidate {
  lead(): Promise<Leadership>;
  close(): Promise<void>;
}

/** The lock is held by a connection of its own: when that ends, it is free. While another relay leads, the connection is kept for the next try. */
export function candidateOf(
  connections: Connections,
  prefix: string,
  pulse: LeadPulse = defaultLeadPulse,
): Candidate {
  // Locks are the server's, not the database's, and their names are short.
  const name = `CONCAT('lockstep ', LEFT(SHA2(CONCAT(DATABASE(), ' ', ${quoteText(prefix)}), 256), 40))`;
  // The server ends a session that is silent for longer, and the lock with it.
  const settings = `SET SESSION wait_timeout = ${Math.ceil(pulse.silentMs / 1000)}`;
  let kept: mysql.Connection | undefined;

  async function open(): Promise<mysql.Connection> {
    const connection = await connections.open();
    const forget = (): void => {
      if (kept === connection) kept = undefined;
    };
    connection.once("end", forget);
    connection.once("error", forget);
    return connection;
  }

  async function lead(): Promise<Leadership> {
    const connection = kept ?? (await open());
    kept = undefined;
    try {
      const asked = connection.query<mysql.RowDataPacket[][]>(`${settings}; SELECT GET_LOCK(${name}, 0)`);
      const [results] = await inTime(asked, pulse.everyMs);
      const [row] = results[1] as unknown as [[number | string]];
      if (Number(row[0]) === 1) return leadershipOf(connection, pulse);
      kept = connection;
      return undefined;
    } catch (error) {
      await endSoon(connection);
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

function leadershipOf(connection: mysql.Connection, { everyMs }: LeadPulse): NonNullable<Leadership> {
  const ended = new Promise<void>((resolve) => {
    connection.once("end", () => resolve());
    connection.once("error", () => resolve());
  });
  let stop = (): void => undefined;
  const silent = new Promise<void>((resolve) => {
    stop = startPulse(() => inTime(connection.query("DO 0"), everyMs), everyMs, resolve);
  });
  const release = (): Promise<void> => {
    stop();
    return endSoon(connection);
  };
  const lost = Promise.race([ended, silent]);
  void lost.then(release);
  return { lost, release };
}
