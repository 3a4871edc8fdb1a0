import type { Sink, SinkChange } from "@lockstep/core";

type Cells = readonly (string | null)[];

/** A store in memory that fails on demand, also after it has written: the reply is lost. */
export class FlakySink implements Sink {
  readonly address = "memory";
  readonly rows = new Map<string, { readonly version: string; readonly cells?: Cells }>();
  writes = 0;
  /** Says what happens to a call: it works, never arrives, or its reply is lost. */
  weather: () => "fine" | "away" | "reply lost" = () => "fine";
  refuses: (change: SinkChange) => boolean = () => false;

  async write(table: { readonly name: string }, changes: readonly SinkChange[]) {
    const weather = this.weather();
    if (weather === "away") throw new Error("away");
    this.writes += changes.length;
    const refused = changes.filter((change) => this.refuses(change));
    const old = changes.map(({ key, before }) => this.rows.get(`${table.name} ${before ?? key}`)?.cells);
    for (const [i, change] of changes.entries()) {
      if (refused.includes(change)) continue;
      const name = `${table.name} ${change.key}`;
      if ((this.rows.get(name)?.version ?? "") > change.version) continue;
      const cells = change.image?.map((cell, at) => (cell === 0 ? (old[i]?.[at] ?? null) : cell));
      this.rows.set(name, { version: change.version, ...(cells === undefined ? {} : { cells }) });
    }
    if (weather === "reply lost") throw new Error("reply lost");
    return refused.map(({ key }) => ({
      key,
      code: "TARGET_REFUSED" as const,
      about: "bad",
      rawError: "bad",
    }));
  }

  async truncate({ name }: { readonly name: string }) {
    for (const row of this.rows.keys()) if (row.startsWith(`${name} `)) this.rows.delete(row);
  }

  async close() {}

  /** Rows of a table as the shop's model prints them. */
  print(table: string): string[] {
    return [...this.rows]
      .flatMap(([name, { cells }]) => (name.startsWith(`${table} `) && cells ? [JSON.stringify(cells)] : []))
      .sort();
  }
}
