import {
  fingerprintOf,
  positionOf,
  type Checkpoint,
  type ColumnSchema,
  type Engine,
  type LaneSession,
  type RowWrite,
  type TableSchema,
  type Target,
  type TargetTable,
  type TargetTransaction,
} from "@lockstep/core";
import type { TargetFixture } from "@lockstep/testing/target-contract";
import type { MysqlTargetOptions } from "../src/index.js";
import { mysqlTarget } from "../src/index.js";
import { openMysqlFixture } from "./mysql-fixture.js";

/** A database, a target on it and a lane, for the tests of one `describe`. */
export interface MysqlLane {
  readonly fixture: TargetFixture;
  readonly target: Target;
  readonly session: LaneSession;
  step(work: (transaction: TargetTransaction) => Promise<void>): Promise<Checkpoint>;
  tables(...schemas: readonly TableSchema[]): Promise<readonly TargetTable[]>;
  close(): Promise<void>;
}

/** Opens everything; `url` stands for another server than the shared one. */
export async function openMysqlLane(
  options: Partial<MysqlTargetOptions> = {},
  fixture?: TargetFixture,
): Promise<MysqlLane> {
  const database = fixture ?? (await openMysqlFixture());
  const target = mysqlTarget({ name: "mine", url: database.url, ...options });
  await target.open();
  const session = (await target.lane({ source: "app", partition: 0 }))!;
  let checkpoint = await session.register({ position: "0-0", incarnation: "test" });
  let tick = 0;
  return {
    fixture: database,
    target,
    session,
    step: async (work) => {
      tick += 1;
      const move = {
        from: checkpoint,
        to: positionOf(tick, 1),
        total: tick,
        incarnation: "test",
        records: 1,
      };
      return (checkpoint = await session.step(move, work));
    },
    tables: (...schemas) => session.tables(schemas),
    close: async () => {
      await session[Symbol.asyncDispose]();
      await target.close();
      await database.drop();
    },
  };
}

/** A schema in few words: `{ id: ["integer", "bigint"] }` is kind and type; the key is the first column. */
export function schemaOf(
  engine: Engine,
  name: string,
  columns: Readonly<Record<string, readonly [ColumnSchema["kind"], string, Partial<ColumnSchema>?]>>,
  key: readonly string[] = [Object.keys(columns)[0]!],
): TableSchema {
  const described = Object.entries(columns).map(([column, [kind, type, more]]): ColumnSchema => ({
    name: column,
    kind,
    type,
    nullable: !key.includes(column),
    ...more,
  }));
  const schema = { engine, namespace: engine === "mysql" ? "app" : "public", name, columns: described, key };
  return { ...schema, fingerprint: fingerprintOf(schema) };
}

/** A write of a row whose key is its first cell. */
export function row(...image: RowWrite["image"]): RowWrite {
  return { key: JSON.stringify([image[0]]), image };
}

/** JSON key of one text. */
export function key(text: string): string {
  return JSON.stringify([text]);
}

/** The error a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}
