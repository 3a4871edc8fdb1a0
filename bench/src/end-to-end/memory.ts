import type { NodeProcess } from "@lockstep/testing";

/** Samples resident memory ten times a second; `stop` gives each process's peak in MB. */
export function watchMemory<Name extends string>(
  processes: Readonly<Record<Name, NodeProcess>>,
): { stop(): Record<Name, number> } {
  const names = Object.keys(processes) as Name[];
  const peaks = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
  const sample = async () => {
    for (const name of names)
      peaks[name] = Math.max(peaks[name], Math.round(await processes[name].residentMb()));
  };
  const timer = setInterval(() => void sample(), 100);
  return {
    stop() {
      clearInterval(timer);
      return peaks;
    },
  };
}
