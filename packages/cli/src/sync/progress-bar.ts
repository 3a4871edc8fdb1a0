import cliProgress from "cli-progress";
import type { JobSums } from "@lockstep/jobs";
import type { Terminal } from "../terminal.js";

/** Shows how far a full sync is. */
export interface ProgressDisplay {
  show(sums: JobSums, waitingFor?: string): void;
  end(): void;
}

const lineEveryMs = 5_000;

/** A bar on a terminal, a line now and then anywhere else. */
export function progressDisplay(terminal: Terminal): ProgressDisplay {
  return process.stderr.isTTY ? bar() : lines(terminal);
}

function bar(): ProgressDisplay {
  const shown = new cliProgress.SingleBar(
    {
      format:
        "{bar} {percentage}% | {value}/{total} rows | {rate} rows/s | {eta_formatted} left | {table}{waiting}",
      stream: process.stderr,
      etaBuffer: 50,
      hideCursor: true,
    },
    cliProgress.Presets.shades_classic,
  );
  const rate = rateMeter();
  let isStarted = false;
  return {
    show(sums, waitingFor) {
      const { rows, expectedRows = rows } = sums;
      const payload = {
        rate: rate(sums),
        table: sums.table ?? "",
        waiting: waitingFor === undefined ? "" : ` | waits for ${waitingFor}`,
      };
      if (!isStarted) shown.start(expectedRows, rows, payload);
      isStarted = true;
      shown.setTotal(expectedRows);
      shown.update(rows, payload);
    },
    end: () => shown.stop(),
  };
}

function lines(terminal: Terminal): ProgressDisplay {
  const rate = rateMeter();
  let saidAt = performance.now();
  return {
    show(sums, waitingFor) {
      if (performance.now() - saidAt < lineEveryMs) return;
      saidAt = performance.now();
      const { rows, expectedRows = rows, table = "" } = sums;
      const perSecond = rate(sums);
      const left = perSecond > 0 ? `, ${Math.ceil((expectedRows - rows) / perSecond)} s left` : "";
      const waiting = waitingFor === undefined ? "" : `, waits for ${waitingFor}`;
      terminal.error(`${rows} of about ${expectedRows} rows, ${perSecond} rows/s${left}, ${table}${waiting}`);
    },
    end: () => undefined,
  };
}

/** Rows a second since it was made. */
function rateMeter(): (sums: Pick<JobSums, "rows">) => number {
  const began = performance.now();
  let first: number | undefined;
  return ({ rows }) => {
    first ??= rows;
    const seconds = (performance.now() - began) / 1000;
    return seconds < 0.1 ? 0 : Math.round((rows - first) / seconds);
  };
}
