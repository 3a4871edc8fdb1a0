import { LockstepError, type RowNote, tableId } from "@lockstep/core";
import type { DataSource } from "typeorm";
import { installAtSource, refuseFindings } from "./install-at-source.js";
import type { SourceCapture } from "./source-capture.js";
import type { BlindWrites } from "./subscriber/blind-writes.js";
import { existingTables, type TableName } from "./subscriber/catalog/existing-tables.js";
import { type CaptureSettings, type InstalledCapture, withRunner } from "./subscriber/install-capture.js";
import type { MappedTable } from "./subscriber/captured-tables.js";
import { mappedTables } from "./subscriber/mapped-tables.js";
import { assistTriggers } from "./trigger/assist-triggers.js";

/** What {@link watchEntities} needs beside what every capture needs. */
export interface WatchSettings extends CaptureSettings {
  readonly capture: Pick<SourceCapture, "plan" | "kind" | "trace">;
  /** Tables without an entity. */
  readonly captureTables: readonly string[];
  /** `ensure`: what the capture lacks in the database is put there; `migration`: it must be there; `left`: somebody changes the capture, and sees to it; `as-is`: nothing is done, here or there. */
  readonly tables: "ensure" | "migration" | "left" | "as-is";
}

/**
 * What a process does whose writes the database itself captures: it sees to it that the database does, and knows the tables of its entities.
 * @throws LockstepError ENTITY_UNKNOWN, TABLE_WITHOUT_PRIMARY_KEY, CAPTURE_NOT_INSTALLED.
 */
export async function watchEntities(
  dataSource: DataSource,
  settings: WatchSettings,
): Promise<InstalledCapture> {
  const { capture, engine, writer, logger } = settings;
  const watched = await withRunner(dataSource, async (run) => {
    const named = namedTables(dataSource, settings);
    const found = await existingTables(engine, run, named);
    const entities = named.flatMap((table, index) =>
      found[index] ? [{ ...table, table: found[index] }] : [],
    );
    if (settings.tables === "as-is") return entities;
    sayMissing(
      named.filter((_, index) => found[index] === undefined).map(({ path }) => path),
      settings,
    );
    const tables = entities.map(({ table }) => table);
    await writer.describe(run, tables);
    // A slot that was taken out must not come back: nobody would read it; nor may triggers go that count from now on.
    if (settings.tables === "left") return entities;
    const findings =
      settings.tables === "ensure"
        ? await installAtSource(capture, run, tables)
        : (await capture.plan(run, tables)).findings;
    refuseFindings(findings);
    for (const { message } of findings) logger.warn({ finding: message }, "capture is not as it should be");
    return entities;
  });
  const isActive = settings.tables !== "as-is";
  const endTrace = isActive ? await capture.trace?.(dataSource) : undefined;
  const blindWrites: BlindWrites = { count: 0, warned: new Set() };
  // PostgreSQL has triggers for TRUNCATE, and every log shows it.
  const needsHelp = isActive && engine === "mysql" && capture.kind === "trigger";
  const endHelp = needsHelp
    ? assistTriggers(dataSource, {
        ...settings,
        blindWrites,
        tables: {
          named: (table) => watched.filter((one) => isNamed(one.table, table)).map(({ path }) => path),
        },
      })
    : () => undefined;
  return {
    get blindWrites() {
      return blindWrites.count;
    },
    tablesOf(entity) {
      const paths = dataSource.entityMetadatas.filter(({ name }) => name === entity);
      const tables = paths.flatMap(({ tablePath }) => watched.filter(({ path }) => path === tablePath));
      if (tables.length === 0) throw new LockstepError("ENTITY_UNKNOWN", `${entity} is not captured`);
      return tables.map(({ table }) => tableId(table));
    },
    uninstall() {
      endTrace?.();
      endHelp();
    },
  };
}

/** A table that isn't there yet is captured from the next start on: until then nobody would say that its rows go past. @throws LockstepError ENTITY_UNKNOWN. */
function sayMissing(
  missing: readonly string[],
  { captureTables, logger }: Pick<WatchSettings, "captureTables" | "logger">,
): void {
  const mistaken = missing.filter((path) => captureTables.includes(path));
  if (mistaken.length > 0)
    throw new LockstepError("ENTITY_UNKNOWN", `captureTables: the source has no ${mistaken.join(", ")}`);
  if (missing.length > 0)
    logger.warn(
      { tables: missing },
      "entities have no table yet: what is written to them is not captured until the tables are there and Lockstep is started again",
    );
}

/** Whether a statement's name may mean this table. */
function isNamed(table: RowNote["table"], { namespace, name }: TableName): boolean {
  const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return isSame(table.name, name) && (namespace === undefined || isSame(table.namespace, namespace));
}

/** The tables of the chosen entities, and those named. @throws LockstepError ENTITY_UNKNOWN. */
export function namedTables(
  dataSource: DataSource,
  settings: Pick<WatchSettings, "engine" | "entities" | "exclude" | "captureTables">,
): readonly MappedTable[] {
  const mapped = mappedTables(dataSource, settings.engine, settings);
  const others = settings.captureTables.map((name) => ({ path: name, ...tableName(name) }));
  return [...mapped, ...others.filter(({ path }) => !mapped.some((table) => table.path === path))];
}

/** A table's name as configuration has it: `name`, or `namespace.name`. */
export function tableName(text: string): TableName {
  const dot = text.indexOf(".");
  return dot < 0 ? { name: text } : { namespace: text.slice(0, dot), name: text.slice(dot + 1) };
}
