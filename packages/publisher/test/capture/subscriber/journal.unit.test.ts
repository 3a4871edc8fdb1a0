import type { RowNote } from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import { Journal, Unidentified } from "../../../src/capture/subscriber/journal.js";

const note = (key: string): RowNote => ({
  table: { namespace: "public", name: "t" },
  op: "update",
  key: [key],
});
const keys = (notes: readonly RowNote[]) => notes.map(({ key }) => key[0]);

describe("Journal", () => {
  let journal: Journal;
  beforeEach(() => {
    journal = new Journal();
    journal.begin();
  });
  const wrote = (key: string) => journal.reserve().arrived([note(key)]);

  it("gives notes in the order of sending, not of arrival", async () => {
    const first = journal.reserve();
    wrote("second");
    const taken = journal.take();
    first.arrived([note("first")]);
    expect(keys(await taken)).to.deep.equal(["first", "second"]);
    expect(await journal.take()).to.deep.equal([]);
  });

  it("waits for writes that are sent while it waits", async () => {
    const first = journal.reserve();
    const taken = journal.take();
    wrote("later");
    first.arrived([note("first")]);
    expect(keys(await taken)).to.deep.equal(["first", "later"]);
  });

  it("forgets a write that failed", async () => {
    journal.reserve().failed(new Error("refused"));
    wrote("b");
    expect(keys(await journal.take())).to.deep.equal(["b"]);
  });

  it("refuses to be taken when a write's rows aren't known, again and again", async () => {
    const reason = new Error("why");
    journal.reserve().failed(new Unidentified(reason));
    for (const _ of [1, 2]) {
      const error = await journal.take().catch((thrown: unknown) => thrown);
      expect(error).to.equal(reason);
    }
  });

  it("a rollback to a savepoint takes an unknown write along", async () => {
    journal.savepoint("s");
    journal.reserve().failed(new Unidentified(new Error("why")));
    journal.rollbackTo("s")();
    expect(await journal.take()).to.deep.equal([]);
  });

  it("keeps what is sent after a rollback to a savepoint, before it is answered", async () => {
    journal.savepoint("s");
    wrote("undone");
    const answered = journal.rollbackTo("s");
    wrote("kept");
    answered();
    expect(keys(await journal.take())).to.deep.equal(["kept"]);
  });

  it("keeps everything when the savepoint is unknown", async () => {
    wrote("a");
    journal.rollbackTo("never")();
    expect(keys(await journal.take())).to.deep.equal(["a"]);
  });

  it("follows nested savepoints as a database does", async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("write" as const) }),
      fc.record({
        kind: fc.constantFrom("savepoint", "release", "rollback-to"),
        name: fc.constantFrom("a", "b", "c"),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const tested = new Journal();
        tested.begin();
        // The model: what is written, and a stack of named copies of it.
        let written: string[] = [];
        let stack: { name: string; written: string[] }[] = [];
        for (const [index, { kind, ...rest }] of steps.entries()) {
          const name = "name" in rest ? rest.name : "";
          const at = stack.findLastIndex((savepoint) => savepoint.name === name);
          if (kind === "write") {
            tested.reserve().arrived([note(String(index))]);
            written.push(String(index));
          } else if (kind === "savepoint") {
            tested.savepoint(name);
            stack.push({ name, written: [...written] });
          } else if (at < 0) {
            continue; // The database refuses it.
          } else if (kind === "release") {
            tested.release(name);
            stack = stack.slice(0, at);
          } else {
            tested.rollbackTo(name)();
            written = [...stack[at]!.written];
            stack = stack.slice(0, at + 1);
          }
        }
        expect(keys(await tested.take())).to.deep.equal(written);
      }),
    );
  });
});

describe("a poisoned journal", () => {
  it("stays poisoned when a savepoint is rolled back", async () => {
    const journal = new Journal();
    journal.begin();
    journal.savepoint("s");
    journal.poison(new Error("the outbox refused"));
    journal.rollbackTo("s")();
    const failure = await journal.take().then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(failure).to.equal("the outbox refused");
  });
});
