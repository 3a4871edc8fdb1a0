import { AsyncLocalStorage } from "node:async_hooks";
import { expect } from "chai";
import type { DataSource } from "typeorm";
import { watchTransactions } from "../src/inside-transaction.js";

describe("who runs inside a transaction", () => {
  /** A DataSource whose transactions are their callbacks. */
  const source = () => {
    const transaction = async (...given: unknown[]) => {
      await undefined; // START TRANSACTION
      return (given.at(-1) as () => Promise<unknown>)();
    };
    return { manager: { transaction } as unknown as DataSource["manager"] };
  };
  const soon = () => performance.now() + 20;
  const late = () => performance.now() + 10_000;

  it("is known at once where it was watched", async () => {
    const { manager } = source();
    const inside = watchTransactions({ manager });
    inside.begin();
    expect(inside.isInside()).to.equal(false);
    await manager.transaction(async () => expect(inside.isInside()).to.equal(true));
    await manager.transaction("SERIALIZABLE", async () => {
      expect(await inside.maybeInside(late())).to.equal(true);
    });
    const behind: Promise<boolean>[] = [];
    await manager.transaction(async () => {
      behind.push(new Promise((resolve) => setImmediate(() => resolve(inside.isInside()))));
    });
    expect(await behind[0]).to.equal(false);
  });

  it("the first to ask waits for those that are open: behind them it is outside", async () => {
    const { manager } = source();
    const inside = watchTransactions({ manager });
    let end: (() => void) | undefined;
    const open = manager.transaction(() => new Promise<void>((resolve) => (end = resolve)));
    const failing = manager.transaction(() => Promise.reject(new Error("rolled back")));
    const asked = inside.maybeInside(late());
    let answered = false;
    void asked.then(() => (answered = true));
    await failing.catch(() => undefined);
    await new Promise(setImmediate);
    expect(answered).to.equal(false);
    expect(await manager.transaction(() => inside.maybeInside(late()))).to.equal(true);
    end!();
    await open;
    expect(await asked).to.equal(false);
  });

  it("inside of one of those the time runs out, and so it does as long as that is open", async () => {
    const { manager } = source();
    const inside = watchTransactions({ manager });
    await manager.transaction(async () => {
      expect(await inside.maybeInside(soon())).to.equal(true);
      expect(await inside.maybeInside(soon())).to.equal(true);
    });
    expect(await inside.maybeInside(soon())).to.equal(false);
  });

  it("costs no transaction an async context until somebody asks", async () => {
    const { manager } = source();
    const inside = watchTransactions({ manager });
    const { run } = AsyncLocalStorage.prototype;
    let runs = 0;
    AsyncLocalStorage.prototype.run = function (
      this: AsyncLocalStorage<unknown>,
      ...given: Parameters<typeof run>
    ) {
      runs++;
      return run.apply(this, given) as never;
    };
    try {
      await manager.transaction(async () => undefined);
      expect(runs).to.equal(0);
      await inside.maybeInside(soon());
      await manager.transaction(async () => undefined);
      expect(runs).to.equal(1);
    } finally {
      AsyncLocalStorage.prototype.run = run;
    }
  });

  it("is watched no longer than that", async () => {
    const { manager } = source();
    const { transaction } = manager;
    const inside = watchTransactions({ manager });
    expect(manager.transaction).not.to.equal(transaction);
    inside.stop();
    expect(manager.transaction).to.equal(transaction);
  });
});
