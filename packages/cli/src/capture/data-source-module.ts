import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { LockstepError } from "@lockstep/core";
import type { DataSource } from "typeorm";

/**
 * Loads the module that TypeORM's own commands take with `--dataSource`, and connects its DataSource: no migration runs, no schema is synchronized.
 * @throws LockstepError CONFIG_INVALID when the module exports no DataSource, or several.
 */
export async function openDataSource(file: string): Promise<DataSource> {
  const loaded = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  // A CommonJS module's exports come again, as the default.
  const exported = [...Object.values(loaded), ...Object.values(loaded["default"] ?? {})];
  const found = new Set((await Promise.all(exported)).filter(isDataSource));
  const [dataSource] = found;
  if (dataSource === undefined || found.size > 1) {
    throw new LockstepError("CONFIG_INVALID", `${file} must export one DataSource; it exports ${found.size}`);
  }
  dataSource.setOptions({ synchronize: false, migrationsRun: false, dropSchema: false, logging: false });
  return dataSource.initialize();
}

// By its shape: the application's TypeORM may be another copy.
function isDataSource(value: unknown): value is DataSource {
  return (
    typeof value === "object" &&
    value !== null &&
    "initialize" in value &&
    "setOptions" in value &&
    "entityMetadatas" in value
  );
}
