import type { CaptureRules } from "./capture-rules.js";
import { identify } from "./identify/identify.js";
import type { Session } from "./session.js";
import {
  dataSourceOf,
  driverOf,
  type RunnerInternals,
  runnerOf,
  type StructuredResult,
  type WriteBuilder,
} from "./typeorm-internals.js";
import { BuilderWrite } from "./write.js";

/**
 * Runs a write query builder's own `execute`, with its one statement captured. The builder itself isn't touched: `execute` runs on an
 * object that inherits from it and has another query runner, which inherits from the real one.
 */
export async function executeCaptured(
  rules: CaptureRules,
  sessionOf: (runner: RunnerInternals) => Session,
  builder: WriteBuilder,
  execute: () => Promise<unknown>,
): Promise<unknown> {
  const path = mainTable(builder);
  if (path === undefined || !rules.tables.captures(path)) return execute.call(builder);
  const dataSource = dataSourceOf(builder)!;
  const given = builder.queryRunner;
  const runner = given ?? runnerOf(dataSource.createQueryRunner("master"));
  const shadow = Object.create(builder) as WriteBuilder;
  let where = "";
  let sent = false;
  shadow.createWhereExpression = () => (where = builder.createWhereExpression.call(shadow));
  shadow.queryRunner = standIn(runner, async (sql, parameters) => {
    // The statement is the first that execute() sends; what follows reads generated columns.
    if (sent) return runner.query(sql, parameters, true) as Promise<StructuredResult>;
    sent = true;
    const session = sessionOf(runner);
    return session.write(async () => {
      const table = await rules.tables.at(path, (text, values) => session.statement(text, values));
      const write = new BuilderWrite({ rules, session, runner, table }, shadow, driverOf(dataSource));
      return identify(write, { sql, parameters, where });
    });
  });
  try {
    return await execute.call(shadow);
  } finally {
    if (given === undefined) await runner.release();
  }
}

function mainTable(builder: WriteBuilder): string | undefined {
  const alias = builder.expressionMap.mainAlias;
  return alias?.hasMetadata ? alias.metadata.tablePath : alias?.tablePath;
}

/** A query runner like `runner` in everything but `query`. Its transaction methods run on the real one, where their state lives. */
function standIn(
  runner: RunnerInternals,
  query: (sql: string, parameters: unknown[]) => Promise<StructuredResult>,
): RunnerInternals {
  return Object.create(runner, {
    query: { value: query },
    startTransaction: { value: (level?: string) => runner.startTransaction(level) },
    commitTransaction: { value: () => runner.commitTransaction() },
    rollbackTransaction: { value: () => runner.rollbackTransaction() },
    release: { value: () => runner.release() },
  }) as RunnerInternals;
}
