import {
  comparePositions,
  decodeEntry,
  encodeEntry,
  endOfTick,
  followOn,
  positionOf,
  startPosition,
  type Changes,
  type LoggedChanges,
  type LoggedEvent,
  type Position,
  type StreamEntry,
} from "@lockstep/core";
import { expect } from "chai";
import fc from "fast-check";
import { openCutter, type CutterOptions } from "../../../src/relay/cut/entry-cutter.js";
import { MemoryLog, type Change } from "../memory-log.js";

/** Ticks of transactions of changes. */
type History = Change[][][];

async function logOf(history: History): Promise<LoggedEvent[]> {
  const log = new MemoryLog();
  for (const transactions of history) {
    log.commit(...transactions);
    await log.cut();
  }
  return log.committed;
}

function cutAll(
  pages: readonly (readonly LoggedChanges[])[],
  options: Partial<CutterOptions> = {},
): StreamEntry[][] {
  const starts = options.starts ?? [startPosition];
  const cutter = openCutter({ incarnation: "i", maxEvents: 5, maxBytes: 1e9, ...options, starts });
  const cut = pages.flatMap((page) => cutter.cut(page));
  return starts.map((_, partition) =>
    cut.filter((c) => c.partition === partition).map((c) => unpacked(c.entry)),
  );
}

/** As its readers have it. */
const unpacked = (entry: StreamEntry<Changes>): StreamEntry => decodeEntry(encodeEntry(entry));

function pagesOf<T>(events: readonly T[], sizes: readonly number[]): T[][] {
  const pages: T[][] = [];
  let at = 0;
  for (let i = 0; at < events.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    pages.push(events.slice(at, at + size));
    at += size;
  }
  return pages;
}

/** Packs runs of as many inserts as `sizes` says in turn, as far as a transaction has them. */
function packed(events: readonly LoggedEvent[], sizes: readonly number[]): LoggedChanges[] {
  const logged: LoggedChanges[] = [];
  for (let at = 0, n = 0; at < events.length; n++) {
    const { tick, table, transaction, schema } = events[at]!;
    let run = events.slice(at, at + sizes[n % sizes.length]!);
    const end = run.findIndex((e) => e.transaction !== transaction || e.tick !== tick);
    if (end > 0) run = run.slice(0, end);
    const last = run.at(-1)!;
    const { ordinal, endsTransaction, endsTick, total } = last;
    const lines = run.map(({ key, image = "" }) => `i${key}\t${image}`).join("\n");
    const place = { ordinal, endsTransaction, endsTick, total };
    logged.push(
      run.length === 1 ? last : { count: run.length, lines, schema, tick, table, transaction, ...place },
    );
    at += run.length;
  }
  return logged;
}

const change = fc.record({ key: fc.integer({ min: 0, max: 9 }).map(String) });
const history = fc.array(
  fc.array(fc.array(change, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 6 }),
  { minLength: 1, maxLength: 5 },
) as fc.Arbitrary<History>;
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

const txs = (entry: StreamEntry): string[] => entry.transactions.map((t) => `${t.id}:${t.events}`);
const inserts = (n: number): Change[] => Array.from({ length: n }, (_, i) => ({ key: String(i) }));

describe("entry cutter", () => {
  it("puts whole transactions of a tick together, up to the bound", async () => {
    const events = await logOf([[inserts(2), inserts(2), inserts(3), inserts(1)]]);
    const [entries] = cutAll([events]);
    expect(entries!.map((e) => [e.id, e.previous, txs(e), e.continues, e.endsTick])).to.deep.equal([
      ["1-4", "0-0", ["1:2", "2:2"], false, false],
      ["1-8", "1-4", ["3:3", "4:1"], false, true],
    ]);
  });

  it("gives a transaction larger than the bound in parts, and says that it goes on", async () => {
    const events = await logOf([[inserts(1), inserts(12), inserts(1)]]);
    const [entries] = cutAll([events]);
    expect(entries!.map((e) => [e.id, txs(e), e.continues])).to.deep.equal([
      ["1-1", ["1:1"], false],
      ["1-6", ["2:5"], true],
      ["1-11", ["2:5"], true],
      ["1-14", ["2:2", "3:1"], false],
    ]);
  });

  it("does not say that a transaction goes on when it ends exactly at the bound", async () => {
    const events = await logOf([[inserts(10), inserts(1)]]);
    const [entries] = cutAll([events]);
    expect(entries!.map((e) => [e.id, e.continues])).to.deep.equal([
      ["1-5", true],
      ["1-10", false],
      ["1-11", false],
    ]);
  });

  it("gives events of one transaction that are for other targets a header of their own, and no end", async () => {
    const events = (await logOf([[inserts(7)]])).map((event, i) =>
      i === 2 || i === 3 ? { ...event, transaction: { ...event.transaction, audience: ["a"] } } : event,
    );
    const [entries] = cutAll([events]);
    const told = entries!.map(({ transactions, continues }) => [
      transactions.map((t) => [t.events, t.audience]),
      continues,
    ]);
    expect(told).to.deep.equal([
      [
        [
          [2, undefined],
          [2, ["a"]],
          [1, undefined],
        ],
        true,
      ],
      [[[2, undefined]], false],
    ]);
  });

  it("never puts two ticks into one entry, and ends each", async () => {
    const events = await logOf([[inserts(1)], [inserts(1)], [inserts(1)]]);
    const [entries] = cutAll([events]);
    expect(entries!.map((e) => [e.id, e.previous, e.endsTick, e.total])).to.deep.equal([
      ["1-1", "0-0", true, 1],
      ["2-1", "1-1", true, 2],
      ["3-1", "2-1", true, 3],
    ]);
  });

  it("counts bytes, and lets an event that is larger than the bound be an entry of its own", async () => {
    const big = { key: "b", image: JSON.stringify(["b", "é".repeat(500)]) };
    const events = await logOf([[[{ key: "1" }], [big], [{ key: "2" }]]]);
    const [entries] = cutAll([events], { maxBytes: 600 });
    expect(entries!.map((e) => e.id)).to.deep.equal(["1-1", "1-2", "1-3"]);
  });

  it("leaves out what is published already, in the middle of a transaction too", async () => {
    const events = await logOf([[inserts(3), inserts(3)], [inserts(1)]]);
    const [entries] = cutAll([events], { starts: [positionOf(1, 5)] });
    expect(entries!.map((e) => [e.id, e.previous, txs(e)])).to.deep.equal([
      ["1-6", "1-5", ["2:1"]],
      ["2-1", "1-6", ["3:1"]],
    ]);
  });

  it("chains on from the end of a tick however it is written", async () => {
    const events = await logOf([[inserts(3)], [inserts(1)]]);
    const [entries] = cutAll([events], { starts: [endOfTick(1)] });
    expect(entries!.map((e) => [e.id, e.previous])).to.deep.equal([["2-1", endOfTick(1)]]);
  });

  it("closes a tick whose rest was pruned under the reader", async () => {
    const events = await logOf([[inserts(3)], [inserts(1)]]);
    const [entries] = cutAll([[...events.slice(0, 2), events[3]!]]);
    expect(entries!.map((e) => [e.id, e.previous, e.endsTick])).to.deep.equal([
      ["1-2", "0-0", true],
      ["2-1", "1-2", true],
    ]);
  });

  it("tells the end of every tick to every partition", async () => {
    const events = await logOf([[inserts(1)], [inserts(4)]]);
    const partitions = cutAll([events], { starts: [startPosition, startPosition, startPosition] });
    for (const entries of partitions) {
      expect(entries.filter((e) => e.endsTick).map((e) => [e.id, e.total])).to.deep.equal([
        ["1-1", 1],
        ["2-4", 5],
      ]);
    }
    expect(partitions.flat().flatMap((e) => e.events)).to.have.length(5);
  });

  it("splits a key that moves to another partition into a delete there and a write here", async () => {
    const moves = Array.from({ length: 20 }, (_, i) => [
      { op: "update" as const, key: `new${i}`, before: `old${i * 3}` },
    ]);
    const events = await logOf([moves]);
    const partitions = cutAll([events], { starts: [startPosition, startPosition], maxEvents: 100 });
    const all = partitions.flatMap((entries) => entries.flatMap((e) => e.events));
    const stayed = all.filter((e) => e.before !== undefined);
    const left = all.filter((e) => e.op === "delete");
    expect(stayed.length).to.be.greaterThan(0);
    expect(left.length).to.be.greaterThan(0);
    expect(all).to.have.length(20 + left.length);
    for (const gone of left) {
      const written = all.filter((e) => e.ordinal === gone.ordinal && e !== gone);
      expect(written.map((e) => [e.op, e.before])).to.deep.equal([["update", undefined]]);
    }
  });

  it("gives the same entries however the log is split into pages", async () => {
    await fc.assert(
      fc.asyncProperty(history, sizes, fc.integer({ min: 1, max: 3 }), async (ticks, pages, partitions) => {
        const events = await logOf(ticks);
        const starts = Array.from({ length: partitions }, () => startPosition);
        expect(cutAll(pagesOf(events, pages), { starts })).to.deep.equal(cutAll([events], { starts }));
      }),
    );
  });

  it("keeps every event once, in order, in whole transactions, chained", async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        sizes,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 3 }),
        async (ticks, pages, maxEvents, partitions) => {
          const events = await logOf(ticks);
          const starts = Array.from({ length: partitions }, () => startPosition);
          const cut = cutAll(pagesOf(events, pages), { starts, maxEvents });
          for (const entries of cut) checkChain(entries, events, maxEvents);
          const seen = cut.flat().flatMap((e) => e.events.map((v) => `${e.id.split("-")[0]}-${v.ordinal}`));
          expect(seen.toSorted()).to.deep.equal(events.map((e) => `${e.tick}-${e.ordinal}`).toSorted());
        },
      ),
    );
  });

  it("cuts packed changes as if each stood for itself, wherever a reader begins", async () => {
    const bounds = fc.record({
      maxEvents: fc.integer({ min: 1, max: 8 }),
      partitions: fc.integer({ min: 1, max: 2 }),
    });
    await fc.assert(
      fc.asyncProperty(history, sizes, sizes, bounds, fc.nat(), async (ticks, packs, pages, bound, at) => {
        const events = await logOf(ticks);
        const start = events[at % events.length]!;
        const begin = at % 3 === 0 ? startPosition : positionOf(start.tick, start.ordinal);
        const starts = Array.from({ length: bound.partitions }, () => begin);
        const cut = cutAll(pagesOf(packed(events, packs), pages), { starts, maxEvents: bound.maxEvents });
        if (begin === startPosition) for (const entries of cut) checkChain(entries, events, bound.maxEvents);
        const seen = (each: readonly StreamEntry[]): unknown[] =>
          each.flatMap((e) => e.events.map((event) => [e.id.split("-")[0], event]));
        const alone = cutAll([events], { starts, maxEvents: 1e9 });
        expect(cut.map(seen)).to.deep.equal(alone.map(seen));
      }),
    );
  });

  it("goes on from any entry as if it had never stopped", async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), async (ticks, at) => {
        const events = await logOf(ticks);
        const [whole] = cutAll([events]);
        const stop = whole![at % whole!.length]!;
        const [rest] = cutAll([events], { starts: [stop.id] });
        const flat = (entries: readonly StreamEntry[]): unknown[] => entries.flatMap((e) => e.events);
        expect(flat(rest!)).to.deep.equal(flat(whole!.filter((e) => comparePositions(e.id, stop.id) > 0)));
        expect((rest![0] ?? { previous: stop.id }).previous).to.equal(stop.id);
      }),
    );
  });

  describe("where each tick is one transaction", () => {
    const ticksOf = (transactions: Change[][]) => logOf(transactions.map((changes) => [changes]));
    const placesOf = (entry: StreamEntry): string[] => {
      let at = 0;
      return entry.transactions.flatMap(({ tick, events }) =>
        entry.events
          .slice(at, (at += events))
          .map(({ ordinal }) => `${tick ?? entry.id.split("-")[0]}-${ordinal}`),
      );
    };

    it("puts several into an entry, and a large one apart from what follows it", async () => {
      const events = await ticksOf([inserts(1), inserts(2), inserts(7), inserts(1), inserts(1)]);
      const [entries] = cutAll([events], { joinsTicks: true });
      expect(entries!.map((e) => [e.id, placesOf(e).length, e.continues, e.endsTick])).to.deep.equal([
        ["2-2", 3, false, true],
        ["3-5", 5, true, false],
        ["3-7", 2, false, true],
        ["5-1", 2, false, true],
      ]);
    });

    it("gives a reader that stands anywhere exactly what follows", async () => {
      const transactions = fc.array(fc.array(change, { minLength: 1, maxLength: 12 }), {
        minLength: 1,
        maxLength: 9,
      });
      await fc.assert(
        fc.asyncProperty(transactions, sizes, async (changes, pageSizes) => {
          const events = await ticksOf(changes);
          const [entries] = cutAll(pagesOf(events, pageSizes), { joinsTicks: true });
          const sent = entries!.map((entry) => decodeEntry(encodeEntry(entry)));
          const places = events.map((e) => positionOf(e.tick, e.ordinal));
          for (const [index, place] of [startPosition, ...places].entries()) {
            const following = followOn(place, sent);
            expect(following.flatMap(placesOf)).to.deep.equal(places.slice(index));
          }
          expect(sent.at(-1)!.endsTick).to.equal(true);
        }),
      );
    });
  });
});

function checkChain(
  entries: readonly StreamEntry[],
  events: readonly LoggedEvent[],
  maxEvents: number,
): void {
  let previous: Position = startPosition;
  let open: string | undefined;
  for (const entry of entries) {
    expect(entry.previous).to.equal(previous);
    expect(comparePositions(entry.id, previous)).to.be.greaterThan(0);
    expect(entry.events.length).to.be.at.most(maxEvents);
    expect(entry.transactions.reduce((sum, t) => sum + t.events, 0)).to.equal(entry.events.length);
    const tick = BigInt(entry.id.split("-")[0]!);
    if (open !== undefined) expect(entry.transactions[0]?.id).to.equal(open);
    open = entry.continues ? entry.transactions.at(-1)!.id : undefined;
    const last = events.find((e) => e.tick === tick && `${tick}-${e.ordinal}` === entry.id);
    expect(last?.total).to.equal(entry.total);
    expect(last?.endsTick).to.equal(entry.endsTick);
    const ordinals = entry.events.map((e) => e.ordinal);
    expect(ordinals).to.deep.equal(ordinals.toSorted((a, b) => a - b));
    previous = entry.id;
  }
}
