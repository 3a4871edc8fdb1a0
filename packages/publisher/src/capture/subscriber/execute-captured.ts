import type { CaptureRules } from "./capture-rules.js";
import type { CapturedTable } from "./captured-tables.js";
import { identify } from "./identify/identify.js";
import { namedByUpdate } from "./identify/named-update.js";
import { markParameters, type SendStatement } from "./marked-parameters.js";
import { sendUncaptured } from "./send-uncaptured.js";
import type { Captured, Session } from "./session.js";
import {
  dataSourceOf,
  driverOf,
  type RunnerInternals,
  runnerOf,
  type StructuredResult,
  type WriteBuilder,
} from "./typeorm-internals.js";
import { BuilderWrite, type WriteStatement } from "./write.js";

/** Where a builder's write goes. */
interface Destination {
  readonly rules: CaptureRules;
  readonly sessionOf: (runner: RunnerInternals) => Session;
  readonly runner: RunnerInternals;
  /** TypeORM's path of the table. */
  readonly path: string;
}

/** Runs a write query builder's own `execute`, with its one statement captured. No promise of its own is made where the runner is given: this is on the way of every save. */
export function executeCaptured(
  rules: CaptureRules,
  sessionOf: (runner: RunnerInternals) => Session,
  builder: WriteBuilder,
  execute: () => Promise<unknown>,
): Promise<unknown> {
  const path = mainTable(builder);
  if (path === undefined || !rules.tables.captures(path)) return execute.call(builder);
  const { queryRunner } = builder;
  const run = (runner: RunnerInternals): Promise<unknown> =>
    execute.call(capturedCopy(builder, { rules, sessionOf, runner, path }));
  return queryRunner ? run(queryRunner) : onRunnerOf(builder, run);
}

async function onRunnerOf<T>(
  builder: WriteBuilder,
  run: (runner: RunnerInternals) => Promise<T>,
): Promise<T> {
  const runner = runnerOf(dataSourceOf(builder)!.createQueryRunner("master"));
  try {
    return await run(runner);
  } finally {
    await runner.release();
  }
}

/**
 * A copy, so that two runs of one builder don't meet. Its statement is marked where the builder makes it, and met again where the runner is about to send it.
 */
function capturedCopy(builder: WriteBuilder, to: Destination): WriteBuilder {
  const copy = Object.assign(
    Object.create(Object.getPrototypeOf(builder) as object),
    builder,
  ) as WriteBuilder;
  copy.queryRunner = to.runner;
  const made = { where: "", returns: false };
  const createWhereExpression: WriteBuilder["createWhereExpression"] = () =>
    (made.where = builder.createWhereExpression.call(copy));
  const createReturningExpression: WriteBuilder["createReturningExpression"] = (kind) => {
    const expression = builder.createReturningExpression.call(copy, kind);
    made.returns = expression !== "";
    return expression;
  };
  const getQueryAndParameters: WriteBuilder["getQueryAndParameters"] = () => {
    const text = builder.getQueryAndParameters.call(copy);
    markParameters(text[1], (sql, parameters, send) =>
      sendCaptured(copy, to, { sql, parameters, ...made }, send),
    );
    return text;
  };
  // Not as literals: see `send-together.ts`.
  return Object.assign(copy, { createWhereExpression, createReturningExpression, getQueryAndParameters });
}

function sendCaptured(
  builder: WriteBuilder,
  { rules, sessionOf, runner, path }: Destination,
  statement: WriteStatement,
  send: SendStatement,
): Promise<StructuredResult> {
  const session = sessionOf(runner);
  const writeTo = (table: CapturedTable): BuilderWrite =>
    new BuilderWrite({ rules, session, send, table }, builder, driverOf(dataSourceOf(builder)!));
  const perform = (): Promise<Captured> => {
    const known = rules.tables.known(path);
    return known ? identify(writeTo(known), statement) : performFirst();
  };
  const performFirst = async (): Promise<Captured> => {
    const table = await rules.tables.at(path, (text, values) => session.statement(text, values));
    return table
      ? identify(writeTo(table), statement)
      : sendUncaptured(rules, path, () => send(statement.sql, statement.parameters));
  };
  return session.write(perform, () => {
    const table = rules.tables.known(path);
    const key = table && namedByUpdate(writeTo(table), statement);
    return key && { ...statement, row: { table: table.table, key } };
  });
}

function mainTable(builder: WriteBuilder): string | undefined {
  const alias = builder.expressionMap.mainAlias;
  return alias?.hasMetadata ? alias.metadata.tablePath : alias?.tablePath;
}
