import type { OutboxWriter } from "@lockstep/core";
import type { MigrationInterface, QueryRunner } from "typeorm";
import { outboxWriterFor } from "./outbox-writer-for.js";
import type { PublishOptions } from "./options.js";

/** A migration class, as `migrations: […]` takes it. */
export type MigrationClass = new () => MigrationInterface;

/**
 * A TypeORM migration that makes Lockstep's tables, for applications that run with `tables: "migration"`:
 * `migrations: [...yours, lockstepMigration()]`. Its time stamp is older than any application's, which TypeORM runs all the same.
 */
export function lockstepMigration(options: Pick<PublishOptions, "outbox"> = {}): MigrationClass {
  return class LockstepOutbox1000000000000 implements MigrationInterface {
    readonly name = "LockstepOutbox1000000000000";

    async up(queryRunner: QueryRunner): Promise<void> {
      for (const statement of writerOf(queryRunner, options).ddl.up) await queryRunner.query(statement);
    }

    async down(queryRunner: QueryRunner): Promise<void> {
      for (const statement of writerOf(queryRunner, options).ddl.down) await queryRunner.query(statement);
    }
  };
}

function writerOf(queryRunner: QueryRunner, options: Pick<PublishOptions, "outbox">): OutboxWriter {
  return outboxWriterFor(queryRunner.connection, options);
}
