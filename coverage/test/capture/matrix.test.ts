import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { verdictIn, verdictText } from "../../src/capture/document/matrix-document.js";
import { traps } from "../../src/capture/document/traps.js";
import { families } from "../../src/capture/paths/index.js";
import { type Result, runMatrix } from "../../src/capture/run-matrix.js";

const root = new URL("../../../../", import.meta.url);
const newest = "1.1.1";
const paths = families.flatMap(({ title, paths }) => paths.map(({ name }) => ({ family: title, name })));

// The short form; `npm run coverage:capture` runs everything and writes the page.
describe("what subscriber capture sees: the newest TypeORM, each write alone and rolled back", () => {
  let document: string;
  let results: readonly Result[];

  before(async () => {
    document = await readFile(new URL("docs/coverage-capture.md", root), "utf8");
    results = await runMatrix({
      columns: [
        { version: newest, driver: "postgres" },
        { version: newest, driver: "mariadb" },
      ],
      short: true,
    });
  });

  it("nothing is captured wrongly", () => {
    const wrong = results.filter(({ cell }) => "verdict" in cell && cell.verdict === "wrong");
    expect(wrong).to.deep.equal([]);
    expect(results).to.have.length(2 * paths.length);
  });

  it("docs/coverage-capture.md says what was found (npm run coverage:capture writes it)", () => {
    const withoutNote = (verdict: string | undefined) => verdict?.replace(" ¹", "");
    const others = results.filter(
      (result) =>
        withoutNote(verdictIn(document, result.family, result.path, result)) !==
        withoutNote(verdictText(result.cell)),
    );
    expect(others).to.deep.equal([]);
  });
});

describe("docs/coverage-capture.md", () => {
  it("has every row once", () => {
    const names = paths.map(({ family, name }) => `${family}: ${name}`);
    expect([...new Set(names)]).to.have.length(names.length);
  });

  for (const [trap, covered] of traps) {
    it(`trap: ${trap}`, async () => {
      const rows = paths.map(({ name }) => name);
      if ("rows" in covered) return expect(rows).to.include.members([...covered.rows]);
      expect(await readFile(new URL(covered.file, root), "utf8")).to.include(covered.test);
    });
  }
});
