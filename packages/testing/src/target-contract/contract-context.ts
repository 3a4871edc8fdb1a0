import type { Target, TargetOptions } from "@lockstep/core";
import type { TargetFixture } from "./fixture.js";

/** What the tests of one tier share: a database, and targets that are closed after each test. */
export interface ContractContext {
  readonly fixture: TargetFixture;
  /** A target on the fixture's database (or on `url`), closed after the test. */
  target(options?: Partial<TargetOptions>): Promise<Target>;
  /** Closes something after the test, before its target. */
  closing<T extends { close(): Promise<void> }>(thing: T): T;
}

/** Opens a fixture before the tests of this `describe` and drops it after them. */
export function contractContext(open: () => Promise<TargetFixture>): ContractContext {
  let fixture: TargetFixture | undefined;
  let opened: { close(): Promise<void> }[] = [];

  before(async () => {
    fixture = await open();
  });
  afterEach(async () => {
    const closing = opened.toReversed();
    opened = [];
    for (const thing of closing) await thing.close();
  });
  after(async () => {
    await fixture?.drop();
  });

  const context: ContractContext = {
    get fixture() {
      if (fixture === undefined) throw new Error("the fixture is opened by before()");
      return fixture;
    },
    target: async (options = {}) => {
      const target = context.fixture.target({
        name: "contract",
        url: context.fixture.url,
        ...options,
      });
      opened.push(target);
      await target.open();
      return target;
    },
    closing: (thing) => {
      opened.push(thing);
      return thing;
    },
  };
  return context;
}
