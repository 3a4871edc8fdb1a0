import { isLockstepError, type ErrorCode } from "@lockstep/core";
import { expect } from "chai";
import { openDoor } from "../../src/fleet/door.js";

const settings = {
  what: "target reports",
  code: "TARGET_UNAVAILABLE",
  timeoutMs: 5_000,
  maxPending: 2,
} as const;
const impatient = { ...settings, timeoutMs: 20 };
const never = <T>() => new Promise<T>(() => undefined);

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | "none"> {
  try {
    await work;
    return "none";
  } catch (error) {
    if (isLockstepError(error)) return error.code;
    throw error;
  }
}

describe("a door", () => {
  it("lets answers and Lockstep's own errors through", async () => {
    const door = openDoor(settings);
    expect(await door.ask(async () => 7)).to.equal(7);
  });

  it("gives up on silence", async () => {
    expect(await codeOf(openDoor(impatient).ask(never))).to.equal("TARGET_UNAVAILABLE");
  });

  it("refuses further questions while too many are open, and takes them again when those have ended", async () => {
    const door = openDoor(settings);
    const ends: (() => void)[] = [];
    const slow = () => new Promise<void>((resolve) => ends.push(resolve));
    const open = [door.ask(slow), door.ask(slow)];
    expect(await codeOf(door.ask(async () => 1))).to.equal("TARGET_UNAVAILABLE");
    // The door opens one turn after it is asked.
    await new Promise(setImmediate);
    for (const end of ends) end();
    await Promise.all(open);
    expect(await door.ask(async () => 1)).to.equal(1);
  });

  it("counts a question that timed out until it really ends", async () => {
    const door = openDoor(impatient);
    await codeOf(door.ask(never));
    await codeOf(door.ask(never));
    let asked = false;
    await codeOf(
      door.ask(async () => {
        asked = true;
      }),
    );
    expect(asked).to.equal(false);
  });

  it("asks once for those who ask the same at the same time, and again for those who come later", async () => {
    const door = openDoor(settings);
    let asked = 0;
    const question = async () => ++asked;
    const answers = await Promise.all([door.share("x", question), door.share("x", question)]);
    expect(answers).to.deep.equal([1, 1]);
    expect(await door.share("x", question)).to.equal(2);
  });

  it("opens before the first question, once, and again after a failure", async () => {
    let opened = 0;
    const open = async () => {
      if (++opened === 1) throw new Error("refused");
    };
    const door = openDoor({ ...settings, open, codeOf: () => "TARGET_UNAVAILABLE" });
    expect(await codeOf(door.ask(async () => 1))).to.equal("TARGET_UNAVAILABLE");
    await Promise.all([door.ask(async () => 1), door.ask(async () => 1)]);
    await door.ask(async () => 1);
    expect(opened).to.equal(2);
  });

  it("says what a driver's error means without its words", async () => {
    const door = openDoor({ ...settings, codeOf: () => "TARGET_UNAVAILABLE" });
    const failing = door.ask(async () => Promise.reject(new Error("Key (email)=(ada@example.com)")));
    const error = await failing.catch((e: unknown) => e as Error);
    expect((error as Error).message).to.not.include("ada");
    expect(await codeOf(failing)).to.equal("TARGET_UNAVAILABLE");
  });
});
