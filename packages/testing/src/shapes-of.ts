import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";

setFlagsFromString("--allow-natives-syntax");
const isOneShape = runInThisContext("(a, b) => %HaveSameMap(a, b)") as (a: object, b: object) => boolean;

/**
 * How many hidden classes of V8 these objects have: code that reads objects of many is many times slower than code that reads those of one or two.
 * What made them must have run often enough to be optimized: only then it may do worse.
 */
export function shapesOf(objects: readonly object[]): number {
  const shapes: object[] = [];
  for (const one of objects) if (!shapes.some((other) => isOneShape(one, other))) shapes.push(one);
  return shapes.length;
}
