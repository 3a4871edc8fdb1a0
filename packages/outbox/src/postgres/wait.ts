import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { unavailable, type Connections } from "./connections.js";
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
}

const maxPauseMs = 50;

/** A waiter with a connection of its own, opened on first use and again when it was lost. */
export function waiterOf(connections: Connections, s: string, { channel, lock }: WakeUp): Waiter {
  let opening: Promise<Ear> | undefined;
  let refusals = 0;
  let closed = false;

  async function open(): Promise<Ear> {
    const client = await connections.open();
    const ear: Ear = { client, next: Promise.resolve() };
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
      opening = undefined;
      ring();
    });
    await client.query(`listen ${channel}`);
    return ear;
  }

  function ear(): Promise<Ear> {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  }

  async function wait(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    if (closed || signal?.aborted) return;
    const { client, next } = await ear().then(({ client, next }) => ({ client, next }));
    // First the lock, then the look: whoever flushes after the lock was had will notify, whoever flushed before is visible now.
    const results = (await client.query(
      `select pg_try_advisory_lock(${lock}) as got; select ${s}.unread() as unread`,
    )) as unknown as pg.QueryResult<Record<string, string>>[];
    const alone = results[0]!.rows[0]!["got"] === "t";
    try {
      if (results[1]!.rows[0]!["unread"] === "t") return;
      // A writer that saw the relay awake has not committed yet (or another relay sleeps here): look again shortly.
      refusals = alone ? 0 : refusals + 1;
      await pause(alone ? timeoutMs : Math.min(timeoutMs, 2 ** refusals, maxPauseMs), next, signal);
    } finally {
      if (alone) client.query(`select pg_advisory_unlock(${lock})`).catch(() => client.end());
    }
  }

  return {
    wait: (timeoutMs, signal) => unavailable(() => wait(timeoutMs, signal)),
    async close() {
      closed = true;
      const open = await opening?.catch(() => undefined);
      await open?.client.end();
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
