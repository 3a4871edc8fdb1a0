import type { Cell } from "./run/run.js";

/** What `npm run coverage:values -- --json` prints last. */
export interface Totals {
  readonly cells: number;
  readonly exact: number;
  readonly converted: number;
  readonly deadLettered: number;
  readonly wrong: number;
}

/** Counts verdicts. */
export function totalsOf(cells: readonly Cell[]): Totals {
  const count = (is: Cell["verdict"]["is"]): number =>
    cells.filter(({ verdict }) => verdict.is === is).length;
  return {
    cells: cells.length,
    exact: count("exact"),
    converted: count("converted"),
    deadLettered: count("dead-letter"),
    wrong: count("wrong"),
  };
}

/** One line per wrong cell: where it is and why; values as the expressions that wrote them. */
export function complaints(cells: readonly Cell[]): readonly string[] {
  return cells.flatMap(({ capture, from, to, type, value, targetType, verdict }) =>
    verdict.is === "wrong"
      ? [`${capture}: ${type} (${from}) to ${targetType} (${to}), ${value.slice(0, 80)}: ${verdict.why}`]
      : [],
  );
}
