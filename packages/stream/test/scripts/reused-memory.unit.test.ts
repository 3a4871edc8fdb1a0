import { expect } from "chai";
import { ReusedMemory } from "../../src/scripts/reused-memory.js";

describe("memory that is used again", () => {
  it("is another for each taker, and the same again when all are done", () => {
    const memory = new ReusedMemory(10);
    const [a, b] = [memory.take(4).fill("a"), memory.take(6).fill("b")];
    expect(`${a.toString()}${b.toString()}`).to.equal("aaaabbbbbb");
    memory.release(true);
    expect(memory.take(1).buffer).not.to.equal(a.buffer);
    memory.release(true);
    memory.release(true);
    expect(memory.take(10).buffer).to.equal(a.buffer);
  });

  it("isn't kept for what is larger", () => {
    const memory = new ReusedMemory(10);
    const large = memory.take(11);
    expect(large).to.have.length(11);
    memory.release(true);
    expect(memory.take(11).buffer).not.to.equal(large.buffer);
  });

  it("is left to whoever may read it still", () => {
    const memory = new ReusedMemory(10);
    const [late, other] = [memory.take(4), memory.take(2)];
    memory.release(false);
    const next = memory.take(10);
    expect(next.buffer).not.to.equal(late.buffer);
    memory.release(true);
    // One of the two that were there before, whichever: the new taker's is never given again meanwhile.
    expect(other.buffer).to.equal(late.buffer);
    const third = memory.take(4);
    expect(third.buffer === next.buffer && third.byteOffset < next.byteOffset + next.length).to.equal(false);
  });
});
