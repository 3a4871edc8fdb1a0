import type { DataSource } from "typeorm";
import { type BlindWrites, refuseBlindWrites } from "../subscriber/blind-writes.js";
import type { CaptureRules } from "../subscriber/capture-rules.js";
import { removeCapture, setCapture } from "../subscriber/patch-typeorm.js";
import { statementsOf } from "../subscriber/several-statements.js";
import { readStatement, type Statement } from "../subscriber/statement.js";
import type { RunnerInternals, WriteBuilder } from "../subscriber/typeorm-internals.js";
import { traceSayer } from "./say-trace.js";

/** What {@link assistTriggers} goes by. */
export interface TruncateRules extends Pick<CaptureRules, "bulkWrites" | "onBlindWrite" | "logger"> {
  readonly blindWrites: BlindWrites;
  readonly tables: Pick<CaptureRules["tables"], "named">;
}

/**
 * What the application's process does for triggers of MySQL and MariaDB: it tells them the trace of what it writes, and refuses what fires none of them.
 * TRUNCATE doesn't: this DataSource's own, `clear()` included, is refused before it is sent, or with `bulkWrites: "allow"` warned
 * of. What other programs truncate is not seen. Gives what ends it.
 */
export function assistTriggers(dataSource: DataSource, rules: TruncateRules): () => void {
  const look = (sql: string): void => {
    const at = sql.search(/\btruncate\b/i);
    if (at < 0) return;
    const statement = statementsOf("mysql", sql)
      .map(readStatement)
      .find(({ kind }) => kind === "truncate");
    if (statement) refuseBlindWrites(rules, statement, sql.slice(at));
  };
  const sayTrace = traceSayer();
  const guard = {
    execute: (builder: WriteBuilder, execute: () => Promise<unknown>) => execute.call(builder),
    async send(
      runner: RunnerInternals,
      { kind }: Pick<Statement, "kind">,
      { sql }: { readonly sql: string },
      send: () => Promise<unknown>,
    ) {
      look(sql);
      if (kind === "write") await sayTrace(runner);
      return send();
    },
    async watch(_: unknown, sql: string, send: () => Promise<unknown>) {
      look(sql);
      return send();
    },
    begins: () => undefined,
    release: (_: unknown, release: () => Promise<void>) => release(),
  };
  setCapture(dataSource, guard);
  return () => removeCapture(dataSource, guard);
}
