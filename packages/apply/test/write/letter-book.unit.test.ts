import { type DeadLetterDetail, type LetterWrite, mappingOf, type TargetMapping } from "@lockstep/core";
import { expect } from "chai";
import { LetterBook } from "../../src/write/letter-book.js";
import { problemOf } from "../../src/write/letter-rows.js";
import { openLetter } from "../../src/write/open-letter.js";
import { TableBook } from "../../src/write/table-book.js";
import { schemaOf } from "../batch/table-model.js";

const people = schemaOf("people", ["id", "mail", "name"]);
const secret = "a secret of enough characters";

/** A book over a target's letters; what was put last, and what is found. */
async function bookOf(map: TargetMapping, withSecret: boolean) {
  const reader = { schema: async () => people };
  const session = {
    tables: async (schemas: readonly (typeof people)[]) =>
      schemas.map((schema) => ({
        schema,
        name: schema.name,
        parents: [],
        selfReferencing: false,
        hasSecondaryUnique: false,
      })),
  };
  const tables = new TableBook(reader, session, 1, mappingOf(map, withSecret ? { secret } : {}));
  await tables.learn([people.fingerprint]);
  let kept: LetterWrite | undefined;
  const resolved: string[] = [];
  let asked: readonly { readonly table: string; readonly key: string }[] = [];
  const stored = (): readonly DeadLetterDetail[] =>
    kept === undefined ? [] : [kept as unknown as DeadLetterDetail];
  const book = new LetterBook(
    {
      putLetter: async (letter) => ((kept = letter), "1"),
      findLetters: async (keys) => ((asked = keys), stored()),
      dueLetters: async () => stored(),
      waitingLetters: async () => stored(),
      resolveLetters: async (ids) => void resolved.push(...ids),
      letters: { get: async () => stored()[0], list: async () => ({ letters: stored() }) },
    },
    tables,
  );
  return { book, kept: () => kept!, asked: () => asked, resolved };
}

const letter = {
  table: "public.people",
  key: '["7"]',
  before: '["6"]',
  schema: people.fingerprint,
  image: '["7","ann@x","Ann"]',
  code: "TRANSFORM_FAILED",
  rawError: "no ann@x here",
} as LetterWrite;

const masked: TargetMapping = {
  people: { columns: { who: { hash: "id" }, mail: { hash: "mail" }, name: true }, key: ["who"] },
};

describe("the letters of a mapped table", () => {
  it("lie in the target sealed where a column is hidden, and come back as the source knows them", async () => {
    const { book, kept, asked } = await bookOf(masked, true);
    await book.put(letter);
    expect(JSON.stringify(kept())).not.contain("ann@x").and.not.contain('["7');
    expect(JSON.parse(kept().image!)[2]).equal("Ann");
    for (const found of [...(await book.due(1)), await book.get("1")]) {
      expect(found).deep.include({
        key: letter.key,
        before: letter.before,
        image: letter.image,
        rawError: letter.rawError,
      });
    }
    await book.find([{ table: letter.table, key: letter.key }]);
    expect(asked().map(({ key }) => key)).include.members([letter.key, kept().key]);
  });

  it("are looked for under every form that a mapping can have given their keys", async () => {
    const { book, asked } = await bookOf(masked, true);
    const formsOf = async (texts: number): Promise<number> => {
      const key = JSON.stringify(Array.from({ length: texts }, (_, i) => `k${i}`));
      await book.find([{ table: letter.table, key }]);
      expect(asked()[0]?.key).equal(key);
      return new Set(asked().map((one) => one.key)).size;
    };
    expect([await formsOf(1), await formsOf(3), await formsOf(9)]).deep.equal([2, 8, 2]);
  });

  it("that lie under another form of their key are over when they are made anew", async () => {
    const { book, resolved } = await bookOf(masked, true);
    await book.put(letter, { ...letter, id: "1" } as unknown as DeadLetterDetail);
    expect(resolved).deep.equal([]);
    await book.put(letter, { ...letter, id: "another" } as unknown as DeadLetterDetail);
    expect(resolved).deep.equal(["another"]);
  });

  it("come back without what another secret has sealed, and can't be tried when that is their key", async () => {
    const { kept, book } = await bookOf(masked, true);
    await book.put(letter);
    for (const other of [
      mappingOf({}, { secret: "another secret of enough characters" }).sealer,
      undefined,
    ]) {
      const found = openLetter(kept() as unknown as DeadLetterDetail, other);
      expect(found.image).equal('[0,0,"Ann"]');
      expect(problemOf({ tables: { problem: () => undefined } as never }, found)?.code).equal(
        "LETTER_UNREADABLE",
      );
    }
    const [read] = await book.due(1);
    expect(problemOf({ tables: { problem: () => undefined } as never }, read!)).equal(undefined);
  });

  it("leave hidden cells out without a secret, and the words of the code that failed", async () => {
    const { book, kept } = await bookOf({ people: { columns: { id: true, name: true } } }, false);
    await book.put(letter);
    expect(kept()).deep.include({ key: letter.key, image: '["7",0,"Ann"]', rawError: "" });
    await book.put({ ...letter, code: "TARGET_CHECK", rawError: "check failed" });
    expect(kept().rawError).equal("check failed");
  });

  it("are whole where nothing is hidden: another route shows the column, or the table isn't mapped", async () => {
    for (const map of [{ people: [{ columns: { id: true } }, { to: "all" }] }, {}]) {
      const { book, kept } = await bookOf(map, true);
      await book.put(letter);
      expect(kept()).deep.equal(letter);
    }
  });
});
