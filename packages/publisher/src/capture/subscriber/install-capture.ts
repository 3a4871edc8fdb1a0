import { LockstepError, type Logger, type RunStatement, tableId } from "@lockstep/core";
import type { DataSource } from "typeorm";
import type { BlindWrites } from "./blind-writes.js";
import { createCapture } from "./capture.js";
import type { CaptureRules } from "./capture-rules.js";
import { CapturedTables } from "./captured-tables.js";
import { type EntityChoices, mappedTables } from "./mapped-tables.js";
import { treeStatements } from "./identify/tree-statements.js";
import { removeCapture, runOwn, setCapture } from "./patch-typeorm.js";
import { runnerOf } from "./typeorm-internals.js";

/** What {@link installCapture} needs beside an initialized DataSource whose outbox exists. */
export interface CaptureSettings
  extends EntityChoices, Pick<CaptureRules, "engine" | "writer" | "bulkWrites" | "onBlindWrite"> {
  readonly logger: Logger;
  readonly committed: () => void;
}

/** A capture that is in place. */
export interface InstalledCapture {
  /** Hand-written statements let through so far, uncaptured. */
  readonly blindWrites: number;
  /** Ids (`namespace.name`) of the captured table behind an entity's name. @throws LockstepError ENTITY_UNKNOWN when it isn't captured. */
  tablesOf(entity: string): readonly string[];
  /** Stops capturing: from here on writes leave no outbox rows. */
  uninstall(): void;
}

/**
 * Starts to capture what this DataSource writes. Describes the tables first.
 * @throws LockstepError ENTITY_UNKNOWN, TABLE_WITHOUT_PRIMARY_KEY.
 */
export async function installCapture(
  dataSource: DataSource,
  settings: CaptureSettings,
): Promise<InstalledCapture> {
  const { engine, writer } = settings;
  let installed = true;
  const blindWrites: BlindWrites = { count: 0, warned: new Set() };
  const rules = await withRunner(dataSource, async (run): Promise<CaptureRules> => {
    const mapped = mappedTables(dataSource, engine, settings);
    const tables = new CapturedTables(engine, writer, mapped);
    await tables.describe(run);
    const { bulkWrites, onBlindWrite, logger, committed } = settings;
    return {
      engine,
      writer,
      tables,
      trees: treeStatements(dataSource, tables),
      bulkWrites,
      onBlindWrite,
      logger,
      isInstalled: () => installed,
      blindWrites,
      committed,
      severalAtOnce: engine === "postgres" || sendsSeveral(dataSource),
      runOwn,
    };
  });
  const capture = createCapture(rules);
  setCapture(dataSource, capture);
  return {
    get blindWrites() {
      return blindWrites.count;
    },
    tablesOf(entity) {
      const metadatas = dataSource.entityMetadatas.filter(({ name }) => name === entity);
      const tables = metadatas.flatMap(({ tablePath }) => rules.tables.known(tablePath)?.schema ?? []);
      if (tables.length === 0) throw new LockstepError("ENTITY_UNKNOWN", `${entity} is not captured`);
      return tables.map(tableId);
    },
    uninstall() {
      if (installed) removeCapture(dataSource, capture);
      installed = false;
    },
  };
}

/** mysql2's `multipleStatements`, in the options or in a URL. */
function sendsSeveral({ options }: DataSource): boolean {
  const { multipleStatements, extra } = options as MysqlOptions;
  return (multipleStatements ?? extra?.multipleStatements) === true;
}

interface MysqlOptions {
  readonly multipleStatements?: boolean;
  readonly extra?: { readonly multipleStatements?: boolean };
}

/** Runs `work` on a master connection of the DataSource's pool, as statements that capture doesn't see. */
export async function withRunner<T>(
  dataSource: DataSource,
  work: (run: RunStatement) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner("master");
  try {
    return await work(async (sql, parameters = []) => {
      const result = await runOwn(runnerOf(runner), sql, [...parameters]);
      return result.records ?? [];
    });
  } finally {
    await runner.release();
  }
}
