import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Without options: everything. */
type Collect = (options?: { readonly type: "minor" }) => void;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as Collect;

/** Bytes that `work` leaves for V8's next full collection to find, its young ones having been: garbage that lives so long costs many times what it should. */
export async function leftBehind(work: () => Promise<void>): Promise<number> {
  await work();
  // Twice: what is young survives one.
  for (let i = 0; i < 2; i++) collect({ type: "minor" });
  const young = inUse();
  collect();
  return young - inUse();
}

function inUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
