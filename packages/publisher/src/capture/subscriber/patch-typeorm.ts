import type { DataSource } from "typeorm";
import type { Capture } from "./capture.js";
import { markOf, markParameters, type SendStatement } from "./marked-parameters.js";
import { readStatement } from "./statement.js";
import {
  dataSourceOf,
  type RunnerInternals,
  runnerOf,
  type StructuredResult,
  type WriteBuilder,
} from "./typeorm-internals.js";

/** Captures by DataSource. A class of TypeORM is patched once per process; without a capture its methods go straight through. */
const captures = new WeakMap<DataSource, Capture>();
const patched = new WeakSet<object>();

type Prototype<T> = { -readonly [K in keyof T]: T[K] };

/** Lets a capture see this DataSource's statements and writes, in place of the one that did before. */
export function setCapture(dataSource: DataSource, capture: Capture): void {
  captures.set(dataSource, capture);
  patchRunner(prototypeOf<RunnerInternals>(runnerOf(dataSource.driver.createQueryRunner("master"))));
  // The classes are taken from instances: SoftDeleteQueryBuilder isn't exported, and an application may hold two copies of TypeORM.
  const builder = dataSource.createQueryBuilder();
  for (const made of [builder.insert(), builder.update(), builder.delete(), builder.softDelete()]) {
    patchBuilder(prototypeOf<WriteBuilder>(made as unknown as WriteBuilder));
  }
}

/** Ends it, unless another capture has taken its place. */
export function removeCapture(dataSource: DataSource, capture: Capture): void {
  if (captures.get(dataSource) === capture) captures.delete(dataSource);
}

/** Runs a statement of capture's own; whoever else wraps `query` still sees it. */
export function runOwn(
  runner: RunnerInternals,
  sql: string,
  parameters: unknown[],
): Promise<StructuredResult> {
  markParameters(parameters, "own");
  return runner.query(sql, parameters, true) as Promise<StructuredResult>;
}

/** Drivers also take configuration objects; TypeORM passes them through. */
function textOf(sql: string | { readonly text?: unknown; readonly sql?: unknown }): string {
  if (typeof sql === "string") return sql;
  const text = sql.text ?? sql.sql;
  return typeof text === "string" ? text : "";
}

function prototypeOf<T extends object>(instance: T): Prototype<T> {
  return Object.getPrototypeOf(instance) as Prototype<T>;
}

function patchBuilder(prototype: Prototype<WriteBuilder>): void {
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const execute = prototype.execute;
  prototype.execute = function (this: WriteBuilder) {
    const dataSource = dataSourceOf(this);
    const capture = dataSource && captures.get(dataSource);
    return capture === undefined ? execute.call(this) : capture.execute(this, execute);
  };
}

function patchRunner(prototype: Prototype<RunnerInternals>): void {
  if (patched.has(prototype)) return;
  patched.add(prototype);
  const original = {
    query: prototype.query,
    release: prototype.release,
    startTransaction: prototype.startTransaction,
  };
  const captureOf = (runner: RunnerInternals) => {
    const dataSource = dataSourceOf(runner);
    return dataSource && captures.get(dataSource);
  };

  prototype.query = function (this: RunnerInternals, sql, parameters, useStructuredResult) {
    const marked = markOf(parameters);
    if (typeof marked === "function") {
      const sendIt: SendStatement = (text, values) =>
        original.query.call(this, text, values, true) as Promise<StructuredResult>;
      return marked(sql, parameters!, sendIt);
    }
    const send = (given = parameters, comment = "") =>
      original.query.call(this, typeof sql === "string" ? sql + comment : sql, given, useStructuredResult);
    const capture = captureOf(this);
    if (capture === undefined || marked === "own") return send();
    const text = textOf(sql);
    const statement = readStatement(text);
    return statement.kind === "other"
      ? capture.watch(this, text, send)
      : capture.send(this, statement, { sql: text, parameters }, send);
  };
  prototype.startTransaction = function (this: RunnerInternals, isolationLevel) {
    captureOf(this)?.begins(this);
    return original.startTransaction.call(this, isolationLevel);
  };
  prototype.release = function (this: RunnerInternals) {
    const capture = captureOf(this);
    const release = () => original.release.call(this);
    return capture === undefined ? release() : capture.release(this, release);
  };
}
