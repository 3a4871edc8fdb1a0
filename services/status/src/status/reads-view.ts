import type { ReadsReport } from "@lockstep/core";
import type { ReadsView } from "./status-schema.js";

type Replica = ReadsReport["replicas"][string];

const maxReasons = 5;

/** What the application's processes say of their reads, together; null when none says anything. Pure. */
export function readsView(reports: readonly ReadsReport[]): ReadsView | null {
  if (reports.length === 0) return null;
  const names = [...new Set(reports.flatMap(({ replicas }) => Object.keys(replicas)))].toSorted();
  return {
    processes: reports.length,
    replicas: names.map((name) => {
      const said = reports.flatMap(({ replicas }) =>
        Object.hasOwn(replicas, name) ? [replicas[name]!] : [],
      );
      return { name, ...replicaView(said) };
    }),
    primary: {
      reads: sum(reports.map(({ primary }) => primary.reads)),
      reasons: sums(reports.map(({ primary }) => primary.reasons)),
    },
  };
}

function replicaView(said: readonly Replica[]): Omit<ReadsView["replicas"][number], "name"> {
  const lags = said.flatMap(({ lagMs }) => lagMs ?? []);
  return {
    states: sums(said.map(({ state }) => ({ [state]: 1 }))),
    reasons: [...new Set(said.flatMap(({ reason }) => reason ?? []))].slice(0, maxReasons),
    lagMs: lags.length === 0 ? null : Math.max(...lags),
    reads: sum(said.map(({ reads }) => reads)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function sums(counted: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const all = new Map<string, number>();
  for (const [name, n] of counted.flatMap((one) => Object.entries(one)))
    all.set(name, (all.get(name) ?? 0) + n);
  return Object.fromEntries(all);
}
