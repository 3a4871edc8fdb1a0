import { assertNever } from "../assert-never.js";
import type { Cell, RowImage } from "../change-event.js";
import { cellAt } from "../mapping/mapped-column.js";
import { readValue, writeValue } from "../mapping/mapped-value.js";
import { runUsersCode } from "../mapping/users-code.js";
import { type ColumnSchema, type Engine, type TableSchema, tableId } from "../table-schema.js";
import { compareCells } from "./cell-order.js";
import { canBeUnited, united } from "./array-union.js";
import type { ColumnRule } from "./conflict-policy.js";
import { outcomeOf } from "./outcome.js";
import type { Resolve } from "./resolution.js";

/** A column's cells on both sides, and the one they last agreed on. */
interface Cells {
  readonly source: Cell;
  readonly target: Cell;
  readonly base: Cell;
}

type Choose = (cells: Cells, source: RowImage, target: RowImage) => Cell;

/** Each column by its rule; key columns are the same on both sides. */
export function mergedColumns(
  schema: TableSchema,
  rules: Readonly<Record<string, ColumnRule>>,
): Resolve | readonly string[] {
  const problems = problemsOf(schema, rules);
  if (problems.length > 0) return problems;
  const choices = schema.columns.map((column) => {
    const isKey = schema.key.includes(column.name);
    return choiceOf(schema, column, isKey ? "source" : (rules[column.name] ?? rules["*"] ?? "source"));
  });
  return ({ source = [], target = [], base }) => {
    const image = choices.map((choose, i) =>
      choose(
        {
          source: cellAt(source, i),
          target: cellAt(target, i),
          base: base === undefined ? 0 : cellAt(base, i),
        },
        source,
        target,
      ),
    );
    return outcomeOf(schema, { source, target }, image);
  };
}

function problemsOf(schema: TableSchema, rules: Readonly<Record<string, ColumnRule>>): readonly string[] {
  const columns = new Map(schema.columns.map((column) => [column.name, column]));
  return Object.entries(rules).flatMap(([name, rule]) => {
    const about =
      typeof rule === "object" && !columns.has(rule.newest)
        ? [`merge.${name}: there is no column ${rule.newest}`]
        : [];
    if (name === "*") return about;
    const column = columns.get(name);
    if (column === undefined) return [...about, `merge: there is no column ${name}`];
    if (schema.key.includes(name))
      return [...about, `merge.${name}: is part of the key, which is the same on both sides`];
    if (rule === "union" && !canBeUnited(column))
      return [`merge.${name}: union needs a JSON or array column`];
    return about;
  });
}

function choiceOf(schema: TableSchema, column: ColumnSchema, rule: ColumnRule): Choose {
  const { engine } = schema;
  if (typeof rule === "function") return chosenByFunction(schema, column, rule);
  if (typeof rule === "object") return newestOf(schema, rule.newest);
  switch (rule) {
    case "source":
    case "target":
      return (cells) => cells[rule];
    case "max":
      return ({ source, target }) => (compareCells(engine, column, source, target) < 0 ? target : source);
    case "min":
      return ({ source, target }) => leastOf(engine, column, source, target);
    case "union":
      return ({ source, target }) => united(column, source, target);
    case "nonNull":
      return ({ source, target }) => source ?? target;
    case "nonNullTarget":
      return ({ source, target }) => target ?? source;
    default:
      return assertNever(rule);
  }
}

function leastOf(engine: Engine, column: ColumnSchema, source: Cell, target: Cell): Cell {
  if (source === null || target === null) return source ?? target;
  return compareCells(engine, column, source, target) > 0 ? target : source;
}

function newestOf({ engine, columns }: TableSchema, name: string): Choose {
  const at = columns.findIndex((column) => column.name === name);
  return (cells, source, target) =>
    compareCells(engine, columns[at]!, cellAt(source, at), cellAt(target, at)) < 0
      ? cells.target
      : cells.source;
}

function chosenByFunction(
  schema: TableSchema,
  column: ColumnSchema,
  rule: Extract<ColumnRule, Function>,
): Choose {
  const { engine } = schema;
  const read = (cell: Cell) => (typeof cell === "string" ? readValue(engine, column, cell) : null);
  return ({ source, target, base }) =>
    runUsersCode(
      "CONFLICT_POLICY_FAILED",
      `the conflict policy of ${tableId(schema)} failed`,
      `merge.${column.name}`,
      () => writeValue(engine, column, rule(read(source), read(target), base === 0 ? undefined : read(base))),
    );
}
