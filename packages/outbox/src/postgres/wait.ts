import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { inTime } from "../in-time.js";
import { endSoon, unavailable, type Connections } from "./connections.js";
import type { WakeUp } from "./wake-up.js";

/** Sleeps until the database says that something was written. */
export interface Waiter {
  wait(timeoutMs: number, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

interface Ear {
  readonly client: pg.Client;
  /** Resolves at the next notification, or when the connection ends. */
  next: Promise<void>;
  /** The next wait opens another one. */
  readonly forget: () => void;
}

const maxPauseMs = 50;
/** What a waiter asks takes no time; a connection that doesn't answer is dead. */
const answerMs = 5_000;

/** A waiter with a connection of its own, opened on first use and again when it was lost. */
export function waiterOf(connections: Connections, s: string, { channel, lock }: WakeUp): Waiter {
  let opening: Promise<Ear> | undefined;
  let refusals = 0;
  let closed = false;

  async function open(forget: () => void): Promise<Ear> {
    const client = await connections.open();
    const ear: Ear = { client, next: Promise.resolve(), forget };
    let ring = (): void => undefined;
    const arm = (): void => {
      ear.next = new Promise((resolve) => (ring = resolve));
    };
    arm();
    client.on("notification", () => {
      ring();
      arm();
    });
    client.on("end", () => {
      forget();
      ring();
    });
    try {
      await inTime(client.query(`listen ${channel}`), answerMs);
      return ear;
    } catch (error) {
      await endSoon(client);
      throw error;
    }
  }

  function ear(): Promise<Ear> {
    if (opening) return opening;
    const forget = (): void => {
      if (opening === mine) opening = undefined;
    };
    const mine = open(forget);
    mine.catch(forget);
    return (opening = mine);
  }

  /** After any error: nobody knows what the session still holds, and a lock that it kept would make writers notify for ever. */
  function drop({ client, forget }: Ear): void {
    forget();
    void endSoon(client);
  }

  async function wait(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (closed || signal?.aborted) return;
    const open = await ear();
    try {
      await listen(open, timeoutMs, signal);
    } catch (error) {
      drop(open);
      throw error;
    }
  }

  async function listen(open: Ear, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { client, next } = open;
    // First the lock, then the look: whoever flushes after the lock was had will notify, whoever flushed before is visible now.
    const asked = client.query(
      `select pg_try_advisory_lock(${lock}) as got; select ${s}.unread() as unread`,
    ) as unknown as Promise<pg.QueryResult<Record<string, string>>[]>;
    const results = await inTime(asked, answerMs);
    const alone = results[0]!.rows[0]!["got"] === "t";
    try {
      if (results[1]!.rows[0]!["unread"] === "t") return;
      // A writer that saw the relay awake has not committed yet (or another relay sleeps here): look again shortly.
      refusals = alone ? 0 : refusals + 1;
      await pause(alone ? timeoutMs : Math.min(timeoutMs, 2 ** refusals, maxPauseMs), next, signal);
    } finally {
      // Not awaited: whoever ended the pause has something to do.
      if (alone) inTime(client.query(`select pg_advisory_unlock(${lock})`), answerMs).catch(() => drop(open));
    }
  }

  return {
    wait: (timeoutMs, signal) => unavailable(() => wait(timeoutMs, signal)),
    async close() {
      closed = true;
      const open = await opening?.catch(() => undefined);
      if (open) await endSoon(open.client);
    },
  };
}

async function pause(ms: number, notified: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const over = new AbortController();
  const given = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  const timer = sleep(ms, undefined, { signal: given }).catch(() => undefined);
  await Promise.race([timer, notified]);
  over.abort();
}
