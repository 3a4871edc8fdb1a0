import { fileURLToPath } from "node:url";
import { NodeProcess } from "./node-process/node-process.js";

/** Work whose garbage is measured, done again and again. */
export interface MeasuredWork extends AsyncDisposable {
  run(): Promise<void>;
}

/** What a module exports to be measured: it prepares the work. */
export type OpenMeasured = (...args: readonly string[]) => Promise<MeasuredWork>;

/** The work: a module's export and what it is given. */
interface Measured {
  readonly module: URL;
  readonly name: string;
  readonly args: readonly string[];
}

/**
 * Bytes that the work leaves for V8's next full collection to find, its young ones having been, at the least of several times: garbage that lives so long
 * costs many times what it should.
 *
 * In a process of its own, whose young generation has room for all that the work makes: how V8 decides depends on all that a process did before.
 */
export function leftBehind(work: Measured): Promise<number> {
  return measure("left-behind", work);
}

/** How often V8 collects everything while the work runs. It does so when what has grown old has grown, and when much lies in Buffers, however short they are needed. */
export function fullCollections(work: Measured): Promise<number> {
  return measure("full-collections", work);
}

const room = "16";

async function measure(what: string, { module, name, args }: Measured): Promise<number> {
  const nodeArgs = ["--expose-gc", `--min-semi-space-size=${room}`, `--max-semi-space-size=${room}`];
  const main = fileURLToPath(new URL("./left-behind-main.js", import.meta.url));
  await using process = await NodeProcess.start({ nodeArgs, main, args: [what, module.href, name, ...args] });
  const code = await process.untilEnds();
  if (code !== 0) throw new Error(`measuring ended with ${code}: ${process.output.join("\n")}`);
  return Number(process.output.at(-1));
}
