import { defaultRetryPolicy, type RetryPolicy } from "@lockstep/core";

/** How refused rows are tried again: one rule for all tables, and what single tables lay over it. */
export interface RetryRules {
  /** The rule of a table, by `namespace.name` at the source. */
  of(table: string): RetryPolicy;
  /** No rule waits longer than this between two tries, ms. */
  readonly longestDelayMs: number;
}

/** Lays the user's choices over the defaults. */
export function retryRules(
  retry: Partial<RetryPolicy> = {},
  byTable: Readonly<Record<string, Partial<RetryPolicy>>> = {},
): RetryRules {
  const common: RetryPolicy = { ...defaultRetryPolicy, ...retry };
  const tables = new Map(Object.entries(byTable).map(([table, own]) => [table, { ...common, ...own }]));
  return {
    of: (table) => tables.get(table) ?? common,
    longestDelayMs: Math.max(common.maxDelayMs, ...[...tables.values()].map((rule) => rule.maxDelayMs)),
  };
}
