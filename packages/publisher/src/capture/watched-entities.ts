import { LockstepError, type RowNote, tableId } from "@lockstep/core";
import type { DataSource } from "typeorm";
import { existingTables } from "./subscriber/catalog/existing-tables.js";
import { type CaptureSettings, type InstalledCapture, withRunner } from "./subscriber/install-capture.js";
import type { MappedTable } from "./subscriber/captured-tables.js";
import { mappedTables } from "./subscriber/mapped-tables.js";

/** The chosen entities' tables that exist, with the path under which TypeORM knows them. */
async function existing(
  dataSource: DataSource,
  settings: CaptureSettings,
): Promise<(MappedTable & { readonly table: RowNote["table"] })[]> {
  const mapped = mappedTables(dataSource, settings.engine, settings);
  const tables = await withRunner(dataSource, (run) => existingTables(settings.engine, run, mapped));
  return mapped.flatMap((entity, index) => {
    const table = tables[index];
    return table ? [{ ...entity, table }] : [];
  });
}

/**
 * What a process does whose writes the database itself captures: it knows the tables of its entities, and describes them to the outbox.
 * @throws LockstepError ENTITY_UNKNOWN, TABLE_WITHOUT_PRIMARY_KEY.
 */
export async function watchEntities(
  dataSource: DataSource,
  settings: CaptureSettings,
): Promise<InstalledCapture> {
  const watched = await existing(dataSource, settings);
  await withRunner(dataSource, (run) =>
    settings.writer.describe(
      run,
      watched.map(({ table }) => table),
    ),
  );
  return {
    blindWrites: 0,
    tablesOf(entity) {
      const paths = dataSource.entityMetadatas.filter(({ name }) => name === entity);
      const tables = paths.flatMap(({ tablePath }) => watched.filter(({ path }) => path === tablePath));
      if (tables.length === 0) throw new LockstepError("ENTITY_UNKNOWN", `${entity} is not captured`);
      return tables.map(({ table }) => tableId(table));
    },
    uninstall: () => undefined,
  };
}
