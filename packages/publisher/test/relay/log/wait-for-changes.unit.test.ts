import { expect } from "chai";
import { Latch } from "../../../src/relay/latch.js";
import { changeWaiter } from "../../../src/relay/log/wait-for-changes.js";
import type { RelayContext, Term } from "../../../src/relay/relay-context.js";

describe("waiting for changes", () => {
  const silent = {
    log: {
      wait: (_ms: number, signal: AbortSignal) =>
        new Promise<void>((r) => signal.addEventListener("abort", () => r())),
    },
    nudged: new Latch(),
    limits: { idleMs: 60_000 },
  } as unknown as RelayContext;

  it("ends with the term", async () => {
    const over = new AbortController();
    const waiting = changeWaiter(silent)({ signal: over.signal } as Term);
    over.abort();
    await waiting;
  });

  it("does not begin when the term ended while the relay looked", async () => {
    await changeWaiter(silent)({ signal: AbortSignal.abort() } as Term);
    expect(silent.nudged.isSet).to.equal(false);
  });
});
