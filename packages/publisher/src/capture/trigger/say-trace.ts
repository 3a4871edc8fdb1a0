import { runOwn } from "../subscriber/patch-typeorm.js";
import type { RunnerInternals } from "../subscriber/typeorm-internals.js";
import { recordedTrace } from "../trace/recorded-trace.js";

/**
 * Tells triggers of MySQL and MariaDB, which see no statement's text, the trace of what is written next: in a variable of the session, when it is another one
 * than this session was told before. Where nothing is ever traced nothing is sent.
 */
export function traceSayer(): (runner: RunnerInternals) => Promise<void> {
  const said = new WeakMap<object, string>();
  let wasTraced = false;
  return async (runner) => {
    const traceparent = recordedTrace();
    if (traceparent === undefined && !wasTraced) return;
    wasTraced = true;
    const connection = (await runner.connect()) as object;
    if (said.get(connection) === traceparent) return;
    // A traceparent is hexadecimal.
    const value = traceparent === undefined ? "NULL" : `'${traceparent}'`;
    await runOwn(runner, `SET @lockstep_traceparent = ${value}`, []);
    if (traceparent === undefined) said.delete(connection);
    else said.set(connection, traceparent);
  };
}
