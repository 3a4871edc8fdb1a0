import type { Position } from "@lockstep/core";
import { expect } from "chai";
import { Acknowledger } from "../../src/report/acknowledger.js";

function stage(fail = false) {
  const clock = { now: 10_000 };
  const sent: Position[] = [];
  const acks = new Acknowledger({
    partition: 0,
    elapsed: () => clock.now,
    reader: {
      acknowledge: async (_, __, position) => {
        if (fail) throw new Error("redis is away");
        sent.push(position);
      },
    },
  });
  return { clock, sent, acks };
}

describe("Acknowledger", () => {
  it("sends at once after a pause, holds back what follows closely, and sends the last of it with the next pulse", async () => {
    const { clock, sent, acks } = stage();
    acks.reached("t", "1-1");
    await acks.flush();
    acks.reached("t", "2-1");
    acks.reached("t", "3-1");
    expect(sent).deep.equal(["1-1"]);
    clock.now += 200;
    acks.pulse();
    await acks.flush();
    expect(sent).deep.equal(["1-1", "3-1"]);
  });

  it("repeats the last position every second, because Redis may have been emptied", async () => {
    const { clock, sent, acks } = stage();
    acks.reached("t", "1-1");
    await acks.flush();
    acks.pulse();
    clock.now += 1_000;
    acks.pulse();
    await acks.flush();
    expect(sent).deep.equal(["1-1", "1-1"]);
  });

  it("is silent once the lane has another owner", async () => {
    const { clock, sent, acks } = stage();
    acks.reached("t", "1-1");
    await acks.flush();
    acks.release();
    clock.now += 5_000;
    acks.pulse();
    await acks.flush();
    expect(sent).deep.equal(["1-1"]);
  });

  it("minds no failure", async () => {
    const { acks } = stage(true);
    acks.reached("t", "1-1");
    await acks.flush();
  });
});
