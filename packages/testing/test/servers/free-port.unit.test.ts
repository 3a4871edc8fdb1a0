import { once } from "node:events";
import { createServer } from "node:net";
import { expect } from "chai";
import { freePort } from "../../src/servers/free-port.js";

describe("a free port", () => {
  it("is outside the ephemeral range, whatever chance says", async () => {
    expect(await freePort(sequence(0, 0.1))).to.be.within(15_000, 31_999);
    expect(await freePort(sequence(0.999_999_9, 0.9))).to.be.within(15_000, 31_999);
  });

  it("is never one that somebody listens on", async () => {
    const taken = await freePort();
    const server = createServer().listen(taken, "127.0.0.1");
    await once(server, "listening");
    try {
      const draw = (taken - 15_000 + 0.5) / 17_000;
      expect(await freePort(sequence(draw, draw, 0.3, 0.6))).to.not.equal(taken);
    } finally {
      await new Promise((closed) => server.close(closed));
    }
  });
});

/** The given draws, then honest ones: a port may be taken by another program of the machine. */
function sequence(...draws: number[]): () => number {
  return () => draws.shift() ?? Math.random();
}
