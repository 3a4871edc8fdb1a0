import type { LeftOut } from "../digest/compared-table.js";
import type { DifferenceKind } from "./difference.js";

/** One row that differs. */
export interface ReportedRow {
  readonly kind: DifferenceKind;
  /** Texts of the primary key as the source prints them; an identifier, not a value. Absent where a mapping masks it. */
  readonly key?: readonly string[];
  /** In its place: the target's key, which the mask has made. */
  readonly targetKey?: readonly string[];
  /** Parts of the key are hidden (`***`): it leads to no row. */
  readonly isMasked?: true;
  /** For `differing`: the columns whose texts differ. */
  readonly columns?: readonly string[];
  /** When asked for: their texts, masked columns left out. */
  readonly values?: Readonly<
    Record<string, { readonly source: string | null; readonly target: string | null }>
  >;
  /** The row's live letter explains it. */
  readonly letter?: true;
  /** For `unmapped`: the place of the mapping's code that failed. */
  readonly about?: string;
}

/** What was found of one table. */
export interface TableReport {
  /** `namespace.name` at the source. */
  readonly table: string;
  /** The target's table, where a mapping makes other rows of these. */
  readonly to?: string;
  /** Rows read on either side. */
  readonly rows: { readonly source: number; readonly target: number };
  readonly missing: number;
  readonly extra: number;
  readonly differing: number;
  /** Rows on which the mapping's code fails: what the target should have isn't known. Not counted above. */
  readonly unmapped: number;
  /** Differences that live letters explain; not counted above. */
  readonly letters: number;
  /** Rows that were written at every look, so that nothing is known of them. */
  readonly unsettled: number;
  /** Columns that nothing was compared of, and why. */
  readonly leftOut: readonly LeftOut[];
  /** The first of the rows that differ, letters included. */
  readonly differences: readonly ReportedRow[];
  /** What a repair did: rows that were sent once more, and those that differ all the same. */
  readonly mended?: { readonly sent: number; readonly remaining: number };
  readonly ms: number;
}

/** What names rows: a report, of which nothing but the keys counts. */
export interface NamedRows {
  readonly tables: readonly (Pick<TableReport, "table" | "to"> & {
    readonly differences: readonly Pick<ReportedRow, "key" | "targetKey" | "isMasked">[];
  })[];
}

/** What was found of one target. */
export interface VerifyReport {
  readonly source: string;
  readonly target: string;
  /** Share of the slices that were compared; 1: all. */
  readonly sample: number;
  readonly tables: readonly TableReport[];
  /** Missing, extra and differing rows together. */
  readonly different: number;
  readonly letters: number;
  readonly unmapped: number;
  readonly unsettled: number;
  readonly ms: number;
}

/** Puts tables together. Pure. */
export function reportOf(
  about: Pick<VerifyReport, "source" | "target" | "sample" | "ms">,
  tables: readonly TableReport[],
): VerifyReport {
  const total = (count: (table: TableReport) => number): number =>
    tables.reduce((sum, table) => sum + count(table), 0);
  return {
    ...about,
    tables,
    different: total(({ missing, extra, differing }) => missing + extra + differing),
    letters: total(({ letters }) => letters),
    unmapped: total(({ unmapped }) => unmapped),
    unsettled: total(({ unsettled }) => unsettled),
  };
}
