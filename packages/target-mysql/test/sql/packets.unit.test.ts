import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { packets } from "../../src/sql/packets.js";
import { textLiteral } from "../../src/sql/literal.js";

describe("packets", () => {
  it("cuts below the limit, in bytes, and loses nothing", () => {
    const parts = Array.from({ length: 500 }, (_, n) => `(${n},'${"é".repeat(n % 40)}')`);
    const made = [...packets("INSERT ", parts, ",", " END", 1024)];
    for (const { sql } of made) expect(Buffer.byteLength(sql)).lessThan(1024);
    expect(made.length).greaterThan(5);
    expect(made.flatMap(({ sql }) => sql.slice(7, -4)).join(",")).equal(parts.join(","));
    expect(made.map(({ from, to }) => parts.slice(from, to).join(","))).deep.equal(
      made.map(({ sql }) => sql.slice(7, -4)),
    );
  });

  it("gives nothing for no rows", () => {
    expect([...packets("INSERT ", [], ",", "", 1024)]).deep.equal([]);
  });

  it("refuses a row that fits into no packet as a row", () => {
    const made = () => [...packets("INSERT ", ["(1)", `('${"x".repeat(2000)}')`], ",", "", 1024)];
    expect(made)
      .to.throw()
      .and.satisfy((error: unknown) => isLockstepError(error, "TARGET_VALUE"));
  });
});

describe("text literals", () => {
  for (const [text, literal] of [
    ["", "''"],
    ["plain", "'plain'"],
    ["it's", "'it\\'s'"],
    ["\\'; DROP TABLE x; --", "'\\\\\\'; DROP TABLE x; --'"],
    ["nul\0", "'nul\\0'"],
    ['"line\n', "'\"line\n'"],
  ] as const) {
    it(`writes ${JSON.stringify(text)}`, () => expect(textLiteral(text)).equal(literal));
  }
});
