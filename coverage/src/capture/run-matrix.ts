import { openApp } from "./app/open-app.js";
import type { Column } from "./app/typeorm-versions.js";
import { type Finding, judge } from "./judge/judge.js";
import { families } from "./paths/index.js";

/** One cell: a finding, or why the path doesn't exist in this column. */
export type Cell = Finding | { readonly missing: string };

/** One row of the matrix in one column. */
export interface Result extends Column {
  readonly family: string;
  readonly path: string;
  readonly cell: Cell;
}

/** Which cells are run, and how. */
export interface MatrixChoice {
  readonly columns: readonly Column[];
  /** Each path alone and rolled back only. Default: in every context. */
  readonly short?: boolean;
  /** Only paths whose family or name holds this. Default: all. */
  readonly only?: string;
  readonly say?: (line: string) => void;
}

/** Runs the matrix: the two servers side by side, the columns of each one after the other. */
export async function runMatrix(choice: MatrixChoice): Promise<Result[]> {
  // Entities register in a store that all copies of TypeORM share, until their DataSource is initialized.
  let opened: Promise<unknown> = Promise.resolve();
  const open = (column: Column) => {
    const app = opened.then(() => openApp(column));
    opened = app.catch(() => undefined);
    return app;
  };
  const byColumn = new Map<Column, Result[]>();
  const runAll = async (columns: readonly Column[]) => {
    for (const column of columns) byColumn.set(column, await runColumn(column, open, choice));
  };
  const { columns } = choice;
  const onPostgres = columns.filter(({ driver }) => driver === "postgres");
  await Promise.all([runAll(onPostgres), runAll(columns.filter((column) => !onPostgres.includes(column)))]);
  return columns.flatMap((column) => byColumn.get(column) ?? []);
}

async function runColumn(
  column: Column,
  open: typeof openApp,
  { short = false, only = "", say }: MatrixChoice,
): Promise<Result[]> {
  const app = await open(column);
  const started = performance.now();
  try {
    const results: Result[] = [];
    for (const { title: family, paths } of families) {
      for (const path of paths.filter(({ name }) => `${family} ${name}`.includes(only))) {
        const missing = path.missing?.(column);
        const cell: Cell = missing === undefined ? await judge(app, path, short) : { missing };
        results.push({ ...column, family, path: path.name, cell });
      }
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say?.(`typeorm ${column.version}, ${column.driver}: ${results.length} rows in ${seconds} s`);
    return results;
  } finally {
    await app.close();
  }
}
