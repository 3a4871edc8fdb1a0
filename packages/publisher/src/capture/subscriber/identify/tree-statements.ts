import type { RowNote } from "@lockstep/core";
import type { DataSource, EntityMetadata } from "typeorm";
import type { CaptureRules } from "../capture-rules.js";
import type { CapturedTables } from "../captured-tables.js";
import { keyAlias, readKey } from "../key-text.js";
import { quoteName, quoteTable } from "../quote.js";
import type { SendStatement } from "../marked-parameters.js";
import { sendUncaptured } from "../send-uncaptured.js";
import type { Captured, Session } from "../session.js";
import { driverOf, type RunnerInternals } from "../typeorm-internals.js";
import { Write } from "../write.js";
import { withoutRows } from "./returning.js";

/** A statement that TypeORM writes by hand for its trees: rows of a closure table, or the numbers of a nested set. */
interface TreeStatement {
  readonly path: string;
  readonly op: "insert" | "update";
  readonly returns: boolean;
}

/** TypeORM's hand-written tree statements, by how they begin. */
export interface TreeStatements {
  find(sql: string): TreeStatement | undefined;
}

/** The beginnings of the tree statements of a DataSource's entities (ClosureSubjectExecutor, NestedSetSubjectExecutor). */
export function treeStatements(dataSource: DataSource, tables: CapturedTables): TreeStatements {
  const driver = driverOf(dataSource);
  const known = dataSource.entityMetadatas
    .filter(({ tablePath }) => tables.captures(tablePath))
    .flatMap((metadata): (TreeStatement & { readonly begins: string })[] => {
      const path = metadata.tablePath;
      const name = path
        .split(".")
        .map((part) => dataSource.driver.escape(part))
        .join(".");
      if (metadata.tableType === "closure-junction") {
        const returns = driver.isReturningSqlSupported("insert");
        return [{ path, op: "insert", returns, begins: `INSERT INTO ${name} (` }];
      }
      if (!hasNestedSet(metadata)) return [];
      const left = dataSource.driver.escape(metadata.nestedSetLeftColumn.databaseName);
      const returns = driver.isReturningSqlSupported("update");
      return [{ path, op: "update", returns, begins: `UPDATE ${name} SET ${left} = CASE ` }];
    });
  return { find: (sql) => known.find(({ begins }) => sql.startsWith(begins)) };
}

function hasNestedSet(
  metadata: EntityMetadata,
): metadata is EntityMetadata & { nestedSetLeftColumn: NonNullable<EntityMetadata["nestedSetLeftColumn"]> } {
  return metadata.nestedSetLeftColumn !== undefined;
}

interface Sent {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Runs a tree statement, captured. Gives what `query()` gives without structured results. */
export async function executeTreeStatement(
  rules: CaptureRules,
  session: Session,
  runner: RunnerInternals,
  statement: TreeStatement,
  sent: Sent,
): Promise<unknown> {
  const send: SendStatement = (sql, parameters) => rules.runOwn(runner, sql, parameters);
  const result = await session.write(async () => {
    const table = await rules.tables.at(statement.path, (text, values) => session.statement(text, values));
    if (!table) return sendUncaptured(rules, statement.path, () => send(sent.sql, [...sent.parameters]));
    const write = new Write({ rules, session, send, table });
    return write.guarded(() => (statement.returns ? returned : lookedUpFirst)(write, statement, sent));
  });
  return result.raw;
}

async function returned(write: Write, { op }: TreeStatement, { sql, parameters }: Sent): Promise<Captured> {
  const result = await write.execute(`${sql} RETURNING ${write.table.keyList}`, parameters);
  const notes = notesOf(write, op, result.records ?? []);
  return { result: withoutRows(op, write, result, notes), notes };
}

async function lookedUpFirst(write: Write, { op }: TreeStatement, sent: Sent): Promise<Captured> {
  const [sql, parameters] = op === "update" ? changedRows(write, sent) : insertedRows(write, sent);
  const notes = notesOf(write, op, await write.select(sql, parameters));
  return { result: await write.execute(sent.sql, sent.parameters), notes };
}

function notesOf(write: Write, op: TreeStatement["op"], rows: readonly Record<string, unknown>[]): RowNote[] {
  return rows.map((row) => write.note(op, readKey(write.table.keys, row)));
}

// UPDATE t SET l = CASE WHEN … END, r = … [WHERE r >= n]
function changedRows({ engine, table }: Write, { sql, parameters }: Sent): [string, readonly unknown[]] {
  const where = / WHERE .*$/.exec(sql)?.[0] ?? "";
  return [`SELECT ${table.keyList} FROM ${quoteTable(engine, table.table)}${where} FOR UPDATE`, parameters];
}

// INSERT INTO t (a, d) SELECT x, y FROM t … WHERE …: the new rows' keys are the select list.
function insertedRows({ engine, table }: Write, { sql, parameters }: Sent): [string, readonly unknown[]] {
  const parts = /^INSERT INTO .*? \((.*?)\) SELECT (.*?) (FROM .*)$/.exec(sql);
  const names = parts?.[1]?.split(", ") ?? [];
  const values = parts?.[2]?.split(", ") ?? [];
  // In the order of the select list, so that the parameters stay in place.
  const list = names.map((name, index) => {
    const key = table.keys.findIndex((column) => quoteName(engine, column.name) === name);
    return `CAST(${values[index]} AS CHAR) AS ${quoteName(engine, keyAlias(key))}`;
  });
  return [`SELECT ${list.join(", ")} ${parts?.[3]} LOCK IN SHARE MODE`, parameters];
}
