import { isLockstepError, type DeadLetter, type LetterWrite } from "@lockstep/core";
import { expect } from "chai";
import { openMysqlLane, rejection, type MysqlLane } from "../mysql-lane.js";

const letter = (key: string, rest: Partial<LetterWrite> = {}): LetterWrite => ({
  table: "app.orders",
  key: JSON.stringify([key]),
  op: "update",
  position: "5-1",
  ordinal: 1,
  schema: "0123456789abcdef",
  image: JSON.stringify([key, "it's"]),
  state: "retrying",
  code: "TARGET_VALUE",
  about: "total",
  rawError: "raw 'text'",
  attempts: 1,
  maxAttempts: 5,
  dueAt: 1000,
  ...rest,
});

describe("letters", () => {
  let lane: MysqlLane;

  beforeEach(async () => (lane = await openMysqlLane()));
  afterEach(() => lane.close());

  const put = async (...letters: readonly LetterWrite[]): Promise<string[]> => {
    const ids: string[] = [];
    await lane.step(async (transaction) => {
      for (const one of letters) ids.push(await transaction.putLetter(one));
    });
    return ids;
  };
  const find = async (key: string): Promise<readonly DeadLetter[]> => {
    let found: readonly DeadLetter[] = [];
    await lane.step(async (transaction) => {
      found = await transaction.findLetters([{ table: "app.orders", key: JSON.stringify([key]) }]);
    });
    return found;
  };

  it("keeps one live letter per row, its history, and everything a person wants to see", async () => {
    const long = "k".repeat(5000);
    const [first] = await put(letter(long));
    const [again] = await put(
      letter(long, { position: "6-2", ordinal: 7, attempts: 2, before: '["old"]', code: "TARGET_CHECK" }),
    );
    expect(again).equal(first);
    const detail = (await lane.target.letters.get(first!))!;
    expect(detail).deep.include({
      source: "app",
      partition: 0,
      table: "app.orders",
      key: JSON.stringify([long]),
      op: "update",
      position: "6-2",
      ordinal: 7,
      state: "retrying",
      code: "TARGET_CHECK",
      about: "total",
      attempts: 2,
      maxAttempts: 5,
      dueAt: 1000,
      image: JSON.stringify([long, "it's"]),
      before: '["old"]',
      rawError: "raw 'text'",
    });
    expect(detail.history.map(({ code }) => code)).deep.equal(["TARGET_VALUE", "TARGET_CHECK"]);
    expect(detail.lastFailedAt).within(detail.firstFailedAt, Date.now());
    await lane.step((transaction) => transaction.resolveLetters([first!], "superseded"));
    expect(await find(long)).deep.equal([]);
    const [next] = await put(letter(long));
    expect(next).not.equal(first);
    expect(await lane.target.letters.counts()).deep.include({ superseded: 1, retrying: 1 });
    expect(await lane.session.letterCounts()).deep.include({ superseded: 0, retrying: 1 });
  });

  it("keeps at most twenty attempts", async () => {
    let id: string | undefined;
    for (let n = 1; n <= 22; n++) [id] = await put(letter("1", { attempts: n, about: `c${n}` }));
    const { history } = (await lane.target.letters.get(id!))!;
    expect(history.map(({ about }) => about)).deep.equal(Array.from({ length: 20 }, (_, n) => `c${n + 3}`));
  });

  it("forgets a letter whose step is rolled back", async () => {
    await rejection(
      lane.step(async (transaction) => {
        await transaction.putLetter(letter("1"));
        throw new Error("scripted");
      }),
    );
    expect(await find("1")).deep.equal([]);
  });

  it("gives due and waiting letters in the order of the source, overdue ones by time", async () => {
    const [a, b, c, d] = await put(
      letter("a", { position: "10-1" }),
      letter("b", { position: "9-2", ordinal: 2 }),
      letter("c", { position: "9-2", ordinal: 1, dueAt: 500 }),
      letter("d", { position: "18446744073709551615-1", dueAt: 99_000 }),
    );
    expect((await lane.session.overdueLetters(1000, 10)).map(({ id }) => id)).deep.equal([
      c,
      ...[a, b].sort(),
    ]);
    for (const id of [a, b, c, d]) expect(await lane.target.letters.markDue(id!, 2)).equal(false);
    for (const id of [a, b, c, d]) expect(await lane.target.letters.markDue(id!, 1)).equal(true);
    expect(await lane.target.letters.markDue(a!, 1)).equal(false);
    await lane.step(async (transaction) => {
      expect((await transaction.dueLetters(3)).map(({ id }) => id)).deep.equal([c, b, a]);
    });
    await put(
      letter("e", { state: "waiting", waitingFor: a!, position: "12-1" }),
      letter("f", { state: "waiting", waitingFor: a!, position: "11-1" }),
    );
    await lane.step(async (transaction) => {
      const waiting = await transaction.waitingLetters(a!, 10);
      expect(waiting.map(({ key, waitingFor }) => [key, waitingFor])).deep.equal([
        ['["f"]', a],
        ['["e"]', a],
      ]);
    });
  });

  it("lists pages that new letters don't shift, by every filter", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n++)
      ids.push(
        ...(await put(letter(String(n), n % 2 === 0 ? {} : { code: "TARGET_UNIQUE", about: "Email_Key" }))),
      );
    const desk = lane.target.letters;
    const first = await desk.list({}, { limit: 3 });
    await put(letter("new"));
    const second = await desk.list({}, { limit: 3, cursor: first.next! });
    const third = await desk.list({}, { limit: 3, cursor: second.next! });
    expect(third.next).equal(undefined);
    const seen = [...first.letters, ...second.letters, ...third.letters].map(({ id }) => id);
    expect(seen.toSorted()).deep.equal(ids.toSorted());
    const size = async (filter: Parameters<typeof desk.list>[0]) =>
      (await desk.list(filter, { limit: 100 })).letters.length;
    expect(await size({ code: "TARGET_UNIQUE" })).equal(3);
    expect(await size({ text: "email" })).equal(3);
    expect(await size({ text: "%" })).equal(0);
    expect(await size({ table: "app.orders", source: "app", partition: 0, states: ["retrying"] })).equal(8);
    expect(await size({ states: ["dead"] })).equal(0);
    expect(await size({ ids: ids.slice(0, 2) })).equal(2);
    expect(await size({ ids: [] })).equal(0);
    const groups = await desk.groups({}, 10);
    expect(groups.map(({ table, code, count }) => [table, code, count])).deep.equal([
      ["app.orders", "TARGET_VALUE", 5],
      ["app.orders", "TARGET_UNIQUE", 3],
    ]);
    const error = await rejection(desk.list({}, { limit: 3, cursor: "garbage" }));
    expect(isLockstepError(error, "REQUEST_INVALID"), String(error)).equal(true);
  });

  it("replays and discards only what is live, and remembers who did it", async () => {
    const [a, b, c] = await put(letter("a", { state: "dead", attempts: 5 }), letter("b"), letter("c"));
    const desk = lane.target.letters;
    expect(await desk.replay({ states: ["dead"] }, "ann", 10)).deep.equal([a]);
    expect(await desk.get(a!)).deep.include({ state: "due", attempts: 0, resolvedBy: "ann" });
    await desk.discard(b!, "bob", "not wanted");
    expect(await desk.get(b!)).deep.include({ state: "discarded", resolvedBy: "bob", reason: "not wanted" });
    expect(await desk.replay({ ids: [b!, c!] }, "ann", 10)).deep.equal([c]);
    for (const [id, code] of [
      [b!, "LETTER_STATE"],
      ["unknown", "LETTER_UNKNOWN"],
    ] as const) {
      const error = await rejection(desk.discard(id, "bob", "again"));
      expect(isLockstepError(error, code), String(error)).equal(true);
    }
    expect(await desk.get("unknown")).equal(undefined);
    await lane.step((transaction) => transaction.resolveLetters([a!, b!], "applied"));
    expect((await desk.get(a!))?.state).equal("applied");
    expect((await desk.get(b!))?.state).equal("discarded");
  });
});
