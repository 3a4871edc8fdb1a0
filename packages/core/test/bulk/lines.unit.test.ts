import { expect } from "chai";
import { imagesIn, type RowImage } from "../../src/index.js";

async function images(...pieces: readonly string[]): Promise<readonly RowImage[]> {
  const found: RowImage[] = [];
  const bytes = pieces.map((piece) => Buffer.from(piece, "latin1"));
  for await (const some of imagesIn(
    (async function* () {
      yield* bytes;
    })(),
  ))
    found.push(...some);
  return found;
}

describe("lines of COPY's text format", () => {
  it("are read wherever they are cut, in the middle of a character too", async () => {
    const text = Buffer.from("1\tgrün\n2\t\\N\n3\t\n").toString("latin1");
    const whole = [
      ["1", "grün"],
      ["2", null],
      ["3", ""],
    ];
    expect(await images(text)).to.deep.equal(whole);
    for (let at = 0; at <= text.length; at++) {
      expect(await images(text.slice(0, at), text.slice(at)), `cut at ${at}`).to.deep.equal(whole);
    }
    expect(await images(...text)).to.deep.equal(whole);
  });

  it("say in escapes what would end a cell or a line", async () => {
    expect(await images("a\\tb\\nc\\\\\\r\\v\t\\\\N\n")).to.deep.equal([["a\tb\nc\\\r\v", "\\N"]]);
  });
});
