import type { Comparison } from "./comparisons.js";
import type { VerifyOptions } from "./compared.js";
import type { Place, VerifyProgress } from "./progress.js";
import type { TableReport } from "./report.js";

type Named = Pick<Comparison, "id">;

/** Keeps how far a comparison is, and tells it. */
export class ProgressBook {
  readonly #reports = new Map<string, TableReport | undefined>();
  readonly #begun: VerifyProgress["current"];
  #toldAt = performance.now();

  constructor(
    private readonly comparisons: number,
    private readonly options: Pick<VerifyOptions, "resume" | "onProgress"> & { readonly tellEveryMs: number },
  ) {
    for (const { comparison, report } of options.resume?.done ?? []) this.#reports.set(comparison, report);
    this.#begun = options.resume?.current;
  }

  get reports(): readonly TableReport[] {
    return [...this.#reports.values()].filter((report) => report !== undefined);
  }

  isDone({ id }: Named): boolean {
    return this.#reports.has(id);
  }

  reportOf({ id }: Named): TableReport | undefined {
    return this.#reports.get(id);
  }

  /** Where an earlier process left it. */
  current({ id }: Named): VerifyProgress["current"] {
    return this.#begun?.comparison === id ? this.#begun : undefined;
  }

  /** Tells now and then how far one is. */
  reached({ id }: Named): (report: TableReport, place: Place) => Promise<void> {
    return async (report, place) => {
      if (performance.now() - this.#toldAt < this.options.tellEveryMs) return;
      await this.#tell({ comparison: id, report, place });
    };
  }

  /** `undefined`: there is nothing to say of it. */
  async finish({ id }: Named, report: TableReport | undefined): Promise<void> {
    this.#reports.set(id, report);
    await this.#tell();
  }

  async #tell(current?: VerifyProgress["current"]): Promise<void> {
    this.#toldAt = performance.now();
    const done = [...this.#reports].flatMap(([comparison, report]) =>
      report === undefined ? [] : [{ comparison, report }],
    );
    await this.options.onProgress?.({ done, comparisons: this.comparisons, ...(current && { current }) });
  }
}
