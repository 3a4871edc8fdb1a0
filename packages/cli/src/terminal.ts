/** Where a command writes: results to `out`, everything else to `error`; a line each. */
export interface Terminal {
  out(line: string): void;
  error(line: string): void;
}

/** This process's own output. */
export const processTerminal: Terminal = {
  out: (line) => void process.stdout.write(`${line}\n`),
  error: (line) => void process.stderr.write(`${line}\n`),
};

/** `found`: the command did its work and found something wrong. `usage`: the input is wrong; nothing was done. */
export const exitCodes = { ok: 0, found: 1, usage: 2 } as const;
