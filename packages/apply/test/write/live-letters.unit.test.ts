import type { DeadLetter, LetterDesk } from "@lockstep/core";
import { expect } from "chai";
import { rowId } from "../../src/batch/planned-changes.js";
import { openLedger, type Ledger } from "../../src/write/ledger.js";
import { LiveLetters } from "../../src/write/live-letters.js";

const lane = { source: "s", partition: 0 };
const row = (n: number) => rowId("public.t", JSON.stringify([String(n)]));

/** A desk with this many live letters, which gives them in pages. */
function deskOf(letters: number): LetterDesk {
  const list: LetterDesk["list"] = async (_, { limit, cursor = "0" }) => {
    const from = Number(cursor);
    const to = Math.min(letters, from + limit);
    const page = Array.from({ length: to - from }, (__, i) => {
      return { table: "public.t", key: JSON.stringify([String(from + i)]) } as DeadLetter;
    });
    return { letters: page, ...(to < letters ? { next: String(to) } : {}) };
  };
  return { list } as LetterDesk;
}

function putting(rows: Iterable<number>): Ledger {
  const ledger = openLedger();
  for (const n of rows) ledger.put.set(row(n), { id: String(n), state: "dead", attempts: 1 });
  return ledger;
}

describe("the rows that have live letters", () => {
  it("are those of the target, and those that steps make and end", async () => {
    const live = await LiveLetters.load(deskOf(1_001), lane);
    expect([live.mayHave(row(1_000)), live.mayHave(row(1_001)), live.none]).deep.equal([true, false, false]);
    live.follow(putting([1_001]));
    expect(live.mayHave(row(1_001))).equal(true);
    const ledger = openLedger();
    for (let n = 0; n <= 1_001; n++) ledger.resolved.set(row(n), String(n));
    live.follow(ledger);
    expect([live.mayHave(row(1_000)), live.none]).deep.equal([false, true]);
  });

  it("may be any when the target has more than can be remembered", async () => {
    const live = await LiveLetters.load(deskOf(100_001), lane);
    expect([live.mayHave(row(5_000_000)), live.none]).deep.equal([true, false]);
  });

  it("may be any from the step on that made more than can be remembered", async () => {
    const live = await LiveLetters.load(deskOf(0), lane);
    expect(live.none).equal(true);
    const rows = function* (from: number): Iterable<number> {
      for (let n = from; n < from + 100_000; n++) yield n;
    };
    live.follow(putting(rows(0)));
    expect([live.mayHave(row(0)), live.mayHave(row(5_000_000))]).deep.equal([true, false]);
    live.follow(putting(rows(100_000)));
    // Also those that were remembered: a letter that is forgotten would write its old image over a newer row.
    expect([live.mayHave(row(0)), live.mayHave(row(5_000_000)), live.none]).deep.equal([true, true, false]);
  });
});
