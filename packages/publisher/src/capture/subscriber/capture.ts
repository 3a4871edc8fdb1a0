import type { CaptureRules } from "./capture-rules.js";
import { executeTreeStatement } from "./identify/tree-statements.js";
import { executeCaptured } from "./execute-captured.js";
import { refuseBlindWrites } from "./blind-writes.js";
import { Session } from "./session.js";
import { hiddenWrite, refuseHiddenControl } from "./several-statements.js";
import type { Statement } from "./statement.js";
import type { RunnerInternals, WriteBuilder } from "./typeorm-internals.js";

/** What follows the statements of one DataSource. */
export interface Capture {
  /** Runs a write query builder, capturing what it touches. */
  execute(builder: WriteBuilder, execute: () => Promise<unknown>): Promise<unknown>;
  /** Sends a statement that may change the transaction, or that writes by hand. `send` takes a copy of the parameters in their place, and a comment behind it. */
  send(
    runner: RunnerInternals,
    statement: Exclude<Statement, { kind: "other" }>,
    text: { readonly sql: string; readonly parameters?: unknown[] | undefined },
    send: (parameters?: unknown[], comment?: string) => Promise<unknown>,
  ): Promise<unknown>;
  /** Sends any other statement, and notices when it ended the transaction. */
  watch(runner: RunnerInternals, sql: string, send: () => Promise<unknown>): Promise<unknown>;
  /** A runner is about to begin a transaction. */
  begins(runner: RunnerInternals): void;
  /** Releases a runner, when nothing is left open on it. */
  release(runner: RunnerInternals, release: () => Promise<void>): Promise<void>;
}

// Of all captures: a transaction that is open while its DataSource's capture is replaced keeps its notes.
const sessions = new WeakMap<RunnerInternals, Session>();

/** Makes the capture of a DataSource. It does nothing until TypeORM's classes call it (`setCapture`). */
export function createCapture(rules: CaptureRules): Capture {
  const sessionOf = (runner: RunnerInternals): Session => {
    const known = sessions.get(runner);
    if (known) {
      known.follow(rules);
      return known;
    }
    const session = new Session(runner, rules);
    sessions.set(runner, session);
    return session;
  };
  /** A runner met for the first time inside a transaction began it before capture was there. */
  const adopt = (runner: RunnerInternals): Session => {
    const met = sessions.has(runner);
    const session = sessionOf(runner);
    if (!met && runner.isTransactionActive) session.journal.begin();
    return session;
  };
  const refuseHidden = (runner: RunnerInternals, sql: string): void => {
    if (!rules.severalAtOnce || !sql.includes(";")) return;
    refuseHiddenControl(
      rules.engine,
      sql,
      sessions.get(runner)?.journal.active ?? runner.isTransactionActive,
    );
    const written = hiddenWrite(rules.engine, sql);
    if (written) refuseBlindWrites(rules, written, sql);
  };
  return {
    begins: (runner) => void sessionOf(runner),
    execute: (builder, execute) => executeCaptured(rules, adopt, builder, execute),
    async send(runner, statement, { sql, parameters = [] }, send) {
      refuseHidden(runner, sql);
      if (statement.kind === "write") {
        const tree = rules.trees.find(sql);
        if (tree) return executeTreeStatement(rules, adopt(runner), runner, tree, { sql, parameters });
      }
      if (statement.kind === "write" || statement.kind === "truncate")
        refuseBlindWrites(rules, statement, sql);
      const session = sessionOf(runner);
      if (statement.kind !== "write") return session.send(statement, send);
      return session.watch(sql, send);
    },
    watch(runner, sql, send) {
      try {
        refuseHidden(runner, sql);
      } catch (error) {
        return Promise.reject(error as Error);
      }
      const session = sessions.get(runner);
      if (!session?.journal.active) return send();
      if (rules.engine === "mysql") return session.watch(sql, send);
      // A block or a function may do more than it seems; what TypeORM reads does not.
      if (!sql.startsWith('SELECT "')) session.journal.distrustKeys();
      return send();
    },
    release(runner, release) {
      const session = sessions.get(runner);
      return session?.isOpen && !runner.isReleased ? session.release(release) : release();
    },
  };
}
