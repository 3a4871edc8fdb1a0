import { isLockstepError } from "@lockstep/core";
import { expect } from "chai";
import { guardListening, isLoopback } from "../../src/access/listen-guard.js";

describe("listening", () => {
  for (const host of [
    "127.0.0.1",
    "127.8.9.10",
    "localhost",
    "LOCALHOST",
    "::1",
    "[::1]",
    "::ffff:127.0.0.1",
  ]) {
    it(`counts ${host} as loopback`, () => expect(isLoopback(host)).to.equal(true));
  }
  for (const host of [
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "",
    "128.0.0.1",
  ]) {
    it(`doesn't count ${JSON.stringify(host)} as loopback`, () => expect(isLoopback(host)).to.equal(false));
  }

  it("beyond loopback needs a token", () => {
    expect(() => guardListening("0.0.0.0", false))
      .to.throw()
      .that.satisfies(refused);
    guardListening("0.0.0.0", true);
    guardListening("127.0.0.1", false);
  });
});

const refused = (error: unknown) => isLockstepError(error, "LISTEN_WITHOUT_TOKEN");
