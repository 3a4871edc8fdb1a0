import { LockstepError, type RunStatement, silentLogger } from "@lockstep/core";
import type { MigrationInterface, QueryRunner } from "typeorm";
import { captureOf } from "./capture/capture-of.js";
import { installAtSource, refuseFindings, removeAtSource } from "./capture/install-at-source.js";
import type { SourceCapture } from "./capture/source-capture.js";
import { existingTables } from "./capture/subscriber/catalog/existing-tables.js";
import { namedTables } from "./capture/watched-entities.js";
import { engineOf, outboxWriterFor } from "./outbox-writer-for.js";
import type { PublishOptions } from "./options.js";
import { captureSource } from "./source-connection.js";

/** A migration class, as `migrations: […]` takes it. */
export type MigrationClass = new () => MigrationInterface;

/** What {@link lockstepMigration} makes. */
export type MigrationOptions = Pick<PublishOptions, "outbox"> &
  (
    | { readonly capture?: "subscriber" }
    | (Pick<PublishOptions, "entities" | "exclude" | "captureTables" | "foreignKeyActions"> & {
        /**
         * Also puts the triggers in place, on the tables as they are then: those that capture, or with `binlog` and `foreignKeyActions: "capture"` those that
         * write what foreign keys change.
         */
        readonly capture: "trigger" | "binlog";
        /** When the migration was written, ms since 1970: after those that make or change the tables. Another one mends what later ones change. */
        readonly timestamp: number;
      })
  );

/**
 * A TypeORM migration that makes Lockstep's tables, for applications that run with `tables: "migration"`:
 * `migrations: [...yours, lockstepMigration()]`. Its time stamp is older than any application's, which TypeORM runs all the same. With
 * `capture: "trigger"` or `"binlog"` and a `timestamp` it puts the triggers in place too.
 */
export function lockstepMigration(options: MigrationOptions = {}): MigrationClass {
  const name = hasTriggers(options) ? `LockstepCapture${options.timestamp}` : "LockstepOutbox1000000000000";
  if (!/[a-z]\d{13}$/.test(name)) {
    throw new LockstepError("CONFIG_INVALID", "timestamp must be milliseconds since 1970, of 13 digits");
  }
  const made = class implements MigrationInterface {
    readonly name = name;

    async up(queryRunner: QueryRunner): Promise<void> {
      const run = runOf(queryRunner);
      await outboxWriterFor(queryRunner.connection, options).ensure(run);
      await installTriggers(queryRunner, run, options);
    }

    async down(queryRunner: QueryRunner): Promise<void> {
      const run = runOf(queryRunner);
      if (hasTriggers(options)) {
        await removeAtSource(triggersOf(queryRunner, options), run, []);
        return;
      }
      await outboxWriterFor(queryRunner.connection, options).remove(run);
    }
  };
  // TypeORM takes the time stamp from the class's name.
  Object.defineProperty(made, "name", { value: name });
  return made;
}

async function installTriggers(
  queryRunner: QueryRunner,
  run: RunStatement,
  options: MigrationOptions,
): Promise<void> {
  if (!hasTriggers(options)) return;
  const dataSource = queryRunner.connection;
  const engine = engineOf(dataSource);
  const { captureTables = [] } = options;
  const named = namedTables(dataSource, { ...options, engine, captureTables });
  const tables = (await existingTables(engine, run, named)).filter((table) => table !== undefined);
  refuseFindings(await installAtSource(triggersOf(queryRunner, options), run, tables));
}

function triggersOf(
  { connection }: QueryRunner,
  { outbox = {}, foreignKeyActions, capture }: TriggerMigration,
): SourceCapture {
  const about = { name: "migration", outbox, logger: silentLogger, url: undefined, foreignKeyActions };
  return captureOf(capture, captureSource(connection, about));
}

type TriggerMigration = Extract<MigrationOptions, { readonly timestamp: number }>;

function hasTriggers(options: MigrationOptions): options is TriggerMigration {
  return options.capture === "trigger" || options.capture === "binlog";
}

function runOf(queryRunner: QueryRunner): RunStatement {
  return async (sql, parameters) => {
    const rows: unknown = await queryRunner.query(sql, parameters && [...parameters]);
    return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  };
}
