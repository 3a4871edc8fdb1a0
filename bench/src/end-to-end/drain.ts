import type pg from "pg";
import type { Rig } from "./rig.js";

/** One way for the orders to reach a mirror. */
export interface Contender {
  readonly name: "native" | "lockstep";
  readonly mirror: pg.Client;
  go(): Promise<void>;
  hold(): Promise<void>;
}

/** PostgreSQL's own logical replication and Lockstep; both stand still until `go`. */
export function contendersOf(rig: Rig): { readonly native: Contender; readonly lockstep: Contender } {
  // The consumer idles meanwhile: stopped for longer than its session may be silent, it would have lost its lane.
  const { relay } = rig.processes;
  return {
    native: {
      name: "native",
      mirror: rig.native,
      go: async () => void (await rig.native.query("ALTER SUBSCRIPTION native ENABLE")),
      hold: async () => {
        await rig.native.query("ALTER SUBSCRIPTION native DISABLE");
        await untilSlotIsFree(rig.source);
      },
    },
    lockstep: {
      name: "lockstep",
      mirror: rig.lockstep,
      go: async () => relay.go(),
      hold: async () => relay.hold(),
    },
  };
}

async function untilSlotIsFree(source: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await source.query(
      "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'native' AND active",
    );
    if (rows.length === 0) return;
    await pause(20);
  }
}

/** Seconds from `go` until the order is visible in the mirror. */
export async function drain(contender: Contender, lastOrder: string, timeoutSeconds = 180): Promise<number> {
  const start = performance.now();
  await contender.go();
  while (!(await isVisible(contender.mirror, lastOrder))) {
    if (performance.now() - start > timeoutSeconds * 1000)
      throw new Error(`${contender.name} did not drain in ${timeoutSeconds} s`);
    await pause(10);
  }
  return (performance.now() - start) / 1000;
}

/** True when the mirror holds the order; a mirror without the table holds none. */
export async function isVisible(mirror: pg.Client, order: string): Promise<boolean> {
  try {
    const query = {
      name: "visible",
      text: "SELECT 1 FROM public.orders WHERE id = $1::bigint",
      values: [order],
    };
    return (await mirror.query(query)).rows.length > 0;
  } catch (error) {
    if ((error as { code?: string }).code === "42P01") return false;
    throw error;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
