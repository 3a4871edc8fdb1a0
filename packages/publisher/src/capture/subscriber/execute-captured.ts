import type { CaptureRules } from "./capture-rules.js";
import type { CapturedTable } from "./captured-tables.js";
import { identify } from "./identify/identify.js";
import { namedByUpdate } from "./identify/named-update.js";
import type { Captured, Session } from "./session.js";
import {
  dataSourceOf,
  driverOf,
  type RunnerInternals,
  runnerOf,
  type StructuredResult,
  type WriteBuilder,
} from "./typeorm-internals.js";
import { sendUncaptured } from "./send-uncaptured.js";
import { BuilderWrite } from "./write.js";

/** Sends a builder's one statement, captured. */
export type SendCaptured = (sql: string, parameters: unknown[]) => Promise<StructuredResult>;

/** Captured statements on their way from their builder to their runner, by their own list of parameters. */
const onTheWay = new WeakMap<unknown[], SendCaptured>();

/** What sends a statement that a captured builder has made; `undefined` for every other statement. */
export function capturedStatement(parameters: unknown[] | undefined): SendCaptured | undefined {
  return parameters && onTheWay.get(parameters);
}

/**
 * Runs a write query builder's own `execute`, with its one statement captured: marked where the builder makes it, met again where the runner is
 * about to send it. `execute` runs on a copy of the builder, so that two runs of one builder don't meet.
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
  const copy = Object.assign(
    Object.create(Object.getPrototypeOf(builder) as object),
    builder,
  ) as WriteBuilder;
  copy.queryRunner = runner;
  let where = "";
  let sent: unknown[] | undefined;
  copy.createWhereExpression = () => (where = builder.createWhereExpression.call(copy));
  copy.getQueryAndParameters = () => {
    const made = builder.getQueryAndParameters.call(copy);
    sent = made[1];
    onTheWay.set(sent, (sql, parameters) => {
      const session = sessionOf(runner);
      const statement = { sql, parameters, where };
      const writeTo = (table: CapturedTable): BuilderWrite =>
        new BuilderWrite({ rules, session, runner, table }, copy, driverOf(dataSource));
      const perform = async (): Promise<Captured> => {
        const table = await rules.tables.at(path, (text, values) => session.statement(text, values));
        if (!table) return sendUncaptured(rules, runner, path, sql, parameters);
        return identify(writeTo(table), statement);
      };
      return session.write(perform, () => {
        const table = rules.tables.known(path);
        const key = table && namedByUpdate(writeTo(table), statement);
        return key && { sql, parameters, row: { table: table.table, key } };
      });
    });
    return made;
  };
  try {
    return await execute.call(copy);
  } finally {
    // By hand: a young generation's collection keeps what a WeakMap holds, and would move every write's builder into the old one.
    if (sent) onTheWay.delete(sent);
    if (given === undefined) await runner.release();
  }
}

function mainTable(builder: WriteBuilder): string | undefined {
  const alias = builder.expressionMap.mainAlias;
  return alias?.hasMetadata ? alias.metadata.tablePath : alias?.tablePath;
}
