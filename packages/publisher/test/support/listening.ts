import type { Logger } from "typeorm";

/** A logger of TypeORM's that keeps the statements that are sent. */
export function listening(sent: string[]): Logger {
  const nothing = () => undefined;
  return {
    logQuery: (sql: string) => void sent.push(sql),
    logQueryError: nothing,
    logQuerySlow: nothing,
    logSchemaBuild: nothing,
    logMigration: nothing,
    log: nothing,
  };
}
