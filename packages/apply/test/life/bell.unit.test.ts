import { expect } from "chai";
import { Bell, type Sleep, sleepTimer } from "../../src/life/bell.js";

const forever: Sleep = (_, signal) =>
  new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));

describe("Bell", () => {
  it("wakes who waits", async () => {
    const bell = new Bell(forever);
    const waiting = bell.wait(1_000);
    bell.ring();
    await waiting;
  });

  it("keeps a ring until someone waits, and only one", async () => {
    const rings: number[] = [];
    const bell = new Bell(async (ms) => void rings.push(ms));
    bell.ring();
    bell.ring();
    await bell.wait(1_000);
    expect(rings).deep.equal([]);
    await bell.wait(7);
    expect(rings).deep.equal([7]);
  });

  it("returns at the latest after its time", async () => {
    await new Bell(sleepTimer).wait(1);
  });

  it("ends its timer when it rings", async () => {
    let aborted = false;
    const bell = new Bell(
      (_, signal) =>
        new Promise((resolve) =>
          signal?.addEventListener("abort", () => {
            aborted = true;
            resolve();
          }),
        ),
    );
    const waiting = bell.wait(1_000);
    bell.ring();
    await waiting;
    expect(aborted).equal(true);
  });
});
