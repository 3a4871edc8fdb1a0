import { randomUUID } from "node:crypto";
import { eventually, openSide } from "@lockstep/testing";
import type { DataSource } from "typeorm";
import type { ShopEntities } from "../entities.js";
import type { DemoServers } from "./servers.js";

/** Tightens a table in each target, once Lockstep has made them, so that some rows are refused. */
export async function tightenTargets(servers: DemoServers): Promise<void> {
  await alter(
    servers.targets.reporting,
    `ALTER TABLE public.orders ADD CONSTRAINT no_refusals CHECK (note IS DISTINCT FROM 'refuse me')`,
  );
  await alter(servers.targets.warehouse, "ALTER TABLE customers MODIFY name VARCHAR(100) NOT NULL");
}

async function alter(url: string, statement: string): Promise<void> {
  await using side = await openSide(url);
  const attempt = () =>
    side.query(statement).then(
      () => true,
      () => false,
    );
  await eventually(attempt, { what: "the targets' tables", timeoutMs: 30_000, intervalMs: 100 });
}

/** Saves rows that are fine at the source and refused by one of the targets. Returns how many. */
export async function saveRefusedRows(
  dataSource: DataSource,
  entities: ShopEntities,
  count = 3,
): Promise<number> {
  for (let i = 0; i < count; i++) {
    const id = randomUUID();
    await dataSource.transaction(async (manager) => {
      const customer = await manager.save(entities.customer, {
        id,
        email: `${id}@example.com`,
        name: "x".repeat(200),
      });
      await manager.save(entities.order, { customer, note: "refuse me", total: "1.00" });
    });
  }
  return count * 2;
}
