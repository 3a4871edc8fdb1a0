import { readFile } from "node:fs/promises";
import type { Engine } from "@lockstep/core";
import { expect } from "chai";
import { section } from "../../src/values/document.js";
import { documentPath, formatted } from "../../src/values/formatted.js";
import { runValues } from "../../src/values/run/run.js";
import { complaints } from "../../src/values/totals.js";

describe("values", () => {
  for (const from of ["postgres", "mysql"] as const satisfies readonly Engine[]) {
    it(`of ${from} arrive in every kind of target as docs/coverage-values.md says`, async () => {
      const cells = await runValues(from, "subscriber");
      expect(complaints(cells)).deep.equal([]);
      const disagree = cells.filter(
        ({ verdict, digest }) => (verdict.is === "dead-letter") !== (digest !== "equal"),
      );
      expect(
        disagree.map(
          ({ from, to, type, value, targetType, digest }) =>
            `${from} ${to} ${type} ${targetType} ${value}: ${digest}`,
        ),
        "digests",
      ).deep.equal([]);
      const committed = await readFile(documentPath, "utf8");
      const measured = (await formatted(section(from, cells))).split("\n");
      const told = committed.split("\n");
      expect(
        measured.filter((line) => !told.includes(line)),
        "run npm run coverage:values",
      ).deep.equal([]);
    });
  }
});
