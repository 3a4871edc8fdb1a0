import type { DataSource, EntityManager } from "typeorm";
import type { App } from "../app/open-app.js";
import type { Column } from "../app/typeorm-versions.js";

/** One way in which an application writes: one row of the matrix. */
export interface WritePath {
  readonly name: string;
  write(app: App, manager: EntityManager): Promise<unknown>;
  /** It begins and ends transactions by itself: it is not run inside another. */
  readonly ownTransaction?: true;
  /** What it asks for changes no row; `perhaps`: which of its writes stay is a matter of time. */
  readonly changesNothing?: true | "perhaps";
  /** Which DataSource it goes through, where that is the point. Default: all that hold for every path. */
  readonly door?: "strict" | "lenient";
  /** Why no capture inside the application can see it. */
  readonly beyond?: string;
  /** Why TypeORM or the database doesn't have it here. */
  readonly missing?: (column: Column) => string | undefined;
}

/** Rows of the matrix that belong together. */
export interface Family {
  readonly title: string;
  readonly paths: readonly WritePath[];
}

/** The DataSource behind a manager: `connection` until 0.3, `dataSource` from 1.0. */
export function dataSourceOf(manager: EntityManager): DataSource {
  const either = manager as { dataSource?: DataSource; connection?: DataSource };
  return (either.dataSource ?? either.connection)!;
}

/** Missing before a version of TypeORM. */
export function since(oldest: "0.3.31" | "1.1.1"): NonNullable<WritePath["missing"]> {
  return ({ version }) => (version < oldest ? `not in TypeORM ${version}` : undefined);
}

/** Only with some drivers. */
export function only(drivers: readonly Column["driver"][], why: string): NonNullable<WritePath["missing"]> {
  return ({ driver }) => (drivers.includes(driver) ? undefined : why);
}

/** The first reason of several. */
export function either(...reasons: NonNullable<WritePath["missing"]>[]): NonNullable<WritePath["missing"]> {
  return (column) => reasons.map((reason) => reason(column)).find((why) => why !== undefined);
}

/** Runs `work`, which must fail; the application goes on. */
export async function failing(work: () => Promise<unknown>): Promise<void> {
  const failed = await work().then(
    () => false,
    (error: unknown) => {
      // Refused by capture is no failure that an application expects.
      if ((error as { code?: unknown }).code === "CAPTURE_BLIND_WRITE") throw error;
      return true;
    },
  );
  if (!failed) throw new Error("was to fail");
}

/** Ids of the seeded posts. */
export const posts = {
  first: "11111111-1111-4111-8111-111111111111",
  second: "22222222-2222-4222-8222-222222222222",
  deleted: "33333333-3333-4333-8333-333333333333",
} as const;
