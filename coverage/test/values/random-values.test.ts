import type { Engine } from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import { testedCaptures } from "../../src/values/captures.js";
import { type Cell, openWays } from "../../src/values/run/run.js";
import { tablesOf } from "../../src/values/run/source.js";
import { complaints } from "../../src/values/totals.js";
import { randomTypes } from "./random-values.js";

/** Sendings; each holds a few values of every type. */
const runs = Number(process.env["LOCKSTEP_PROPERTY_RUNS"] ?? 3);

describe("property: any value of any type arrives, or is a letter where it can't be held", function () {
  this.timeout(180_000 + runs * 5_000);

  for (const from of ["postgres", "mysql"] as const satisfies readonly Engine[]) {
    for (const capture of testedCaptures(from))
      it(`from ${from} to both engines (${capture})`, async () => {
        const types = randomTypes[from];
        const empty = types.map((type) => ({ ...type, values: [] }));
        const tables = tablesOf({ engine: from, groups: [{ title: "", types: empty }] });
        const holdsAll = new Set(
          tables.filter((_, i) => types[i]!.mayRefuse !== true).map(({ name }) => name),
        );
        await using ways = await openWays(from, capture, tables);
        let ids = 0;
        const sendings = fc.tuple(
          ...types.map(({ value }) => fc.array(value, { minLength: 1, maxLength: 12 })),
        );
        const arrives = fc.asyncProperty(sendings, async (values) => {
          const sent = tables.map((table, i) => ({
            ...table,
            values: new Map(values[i]!.map((value) => [String(++ids), value])),
          }));
          const cells = await ways.send(sent);
          expect(complaints(cells)).deep.equal([]);
          expect(cells.filter((cell) => holdsAll.has(cell.table) && isLetter(cell))).deep.equal([]);
        });
        // The complaints name type and value: nothing is gained by looking for a smaller sending.
        await fc.assert(arrives, { numRuns: runs, endOnFailure: true });
      });
  }
});

function isLetter({ verdict }: Cell): boolean {
  return verdict.is === "dead-letter";
}
