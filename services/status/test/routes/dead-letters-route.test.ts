import { freshPostgres, startProxy } from "@lockstep/testing";
import { expect } from "chai";
import type { LetterView, Unreachable } from "../../src/letters/letter-schema.js";
import type { LetterGroup } from "../../src/letters/merged-groups.js";
import { openRig, type StatusRig } from "../rig/status-rig.js";

interface Page {
  readonly letters: readonly LetterView[];
  readonly next: string | null;
  readonly unreachable: readonly Unreachable[];
}

const keys = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ key: JSON.stringify([String(from + i)]) }));

async function page(rig: StatusRig, query = ""): Promise<Page> {
  const { status, body } = await rig.get(`/api/v1/dead-letters${query}`);
  expect(status, JSON.stringify(body)).to.equal(200);
  return body as unknown as Page;
}

/** Walks all pages, doing something after the first one. */
async function walk(rig: StatusRig, query: string, between: () => Promise<void> = async () => undefined) {
  const pages: Page[] = [];
  let cursor = "";
  do {
    pages.push(await page(rig, `${query}${cursor}`));
    if (pages.length === 1) await between();
    const { next } = pages.at(-1)!;
    cursor = next === null ? "" : `&cursor=${encodeURIComponent(next)}`;
  } while (cursor !== "");
  return pages;
}

describe("GET /api/v1/dead-letters", () => {
  let rig: StatusRig;
  before(async () => {
    rig = await openRig({ targets: ["reporting", "warehouse"] });
    await rig.setAside("reporting", [
      { key: '["1"]', code: "TARGET_UNIQUE", about: "customers_email_key" },
      { key: '["2"]', state: "retrying", dueAt: Date.now() + 3_600_000, attempts: 1 },
      { table: "public.orders", key: '["Öl-7"]', state: "waiting", code: "TARGET_FOREIGN_KEY" },
      { table: "audit.orders", key: '["9"]', code: "TARGET_VALUE" },
    ]);
    await rig.setAside("warehouse", [{ key: '["1"]', code: "TARGET_NOT_NULL", about: "note" }]);
  });
  after(() => rig.close());

  it("lists the letters of all targets, newest failure first", async () => {
    const { letters, next, unreachable } = await page(rig);
    expect(letters).to.have.length(5);
    const times = letters.map((letter) => letter.lastFailedAt);
    expect(times).to.deep.equal([...times].sort().toReversed());
    expect(letters[0]).to.include({
      target: "warehouse",
      lane: "shop~warehouse~0",
      table: "public.customers",
      key: '["1"]',
      code: "TARGET_NOT_NULL",
      about: "note",
      state: "dead",
      attempts: 5,
    });
    expect(letters[0]!.hint).to.be.a("string");
    expect(next).to.equal(null);
    expect(unreachable).to.deep.equal([]);
  });

  it("holds no row values and no driver's words", async () => {
    expect(JSON.stringify(await page(rig))).to.not.include("ada@example.com");
  });

  const filters: [query: string, found: number][] = [
    ["?target=warehouse", 1],
    ["?target=reporting", 4],
    ["?source=shop", 5],
    ["?state=retrying", 1],
    ["?state=retrying,waiting", 2],
    ["?state=retrying&state=waiting", 2],
    ["?state=discarded", 0],
    ["?code=TARGET_VALUE", 1],
    ["?code=NOBODY", 0],
    ["?entity=public.customers", 3],
    ["?entity=customers", 3],
    ["?entity=nowhere", 0],
    ["?entity=audit.orders", 1],
    ["?text=EMAIL_key", 1],
    ["?text=%C3%96l", 1],
    ["?text=%25", 0],
    ["?target=reporting&entity=customers&state=dead", 1],
  ];
  for (const [query, found] of filters) {
    it(`narrows by ${query}`, async () => {
      expect((await page(rig, query)).letters).to.have.length(found);
    });
  }

  it("refuses a table's name that is in two namespaces, and names them", async () => {
    const { status, body } = await rig.get("/api/v1/dead-letters?entity=orders");
    expect(status).to.equal(400);
    expect(body).to.include({ code: "REQUEST_INVALID" });
    expect(body["detail"]).to.include("audit.orders").and.to.include("public.orders");
  });

  const refused: [query: string, says: string][] = [
    ["?limit=0", "query.limit"],
    ["?limit=201", "query.limit"],
    ["?limit=many", "query.limit"],
    ["?state=dad", "query.state"],
    ["?colour=red", "colour"],
    ["?target=nobody", "known: reporting, warehouse"],
    ["?source=nobody", "known: shop"],
    ["?cursor=nonsense", "query.cursor"],
    [`?text=${"x".repeat(201)}`, "query.text"],
  ];
  for (const [query, says] of refused) {
    it(`refuses ${query.slice(0, 30)} and says why`, async () => {
      const { status, body, headers } = await rig.get(`/api/v1/dead-letters${query}`);
      expect(status).to.equal(400);
      expect(headers.get("content-type")).to.include("application/problem+json");
      expect(body).to.include({
        status: 400,
        code: "REQUEST_INVALID",
        type: "urn:lockstep:error:REQUEST_INVALID",
      });
      expect(body["detail"]).to.include(says);
      expect(body["hint"]).to.be.a("string");
    });
  }

  it("refuses a cursor with another filter", async () => {
    const { next } = await page(rig, "?limit=1");
    const { status, body } = await rig.get(`/api/v1/dead-letters?code=X&cursor=${encodeURIComponent(next!)}`);
    expect([status, body["code"]]).to.deep.equal([400, "REQUEST_INVALID"]);
  });

  it("groups by table and error over all targets, the largest first", async () => {
    await rig.setAside("warehouse", [{ key: '["2"]' }, { key: '["3"]' }]);
    const { status, body } = await rig.get("/api/v1/dead-letters/groups");
    const { groups } = body as unknown as { groups: LetterGroup[] };
    expect(status).to.equal(200);
    expect(groups[0]).to.deep.include({
      table: "public.customers",
      code: "TARGET_CHECK",
      count: 3,
      targets: { reporting: 1, warehouse: 2 },
    });
    expect(groups).to.have.length(5);
    const narrowed = await rig.get("/api/v1/dead-letters/groups?target=reporting&limit=1&state=dead");
    expect((narrowed.body as unknown as { groups: LetterGroup[] }).groups).to.have.length(1);
  });
});

describe("pages of dead letters", () => {
  let rig: StatusRig;
  before(async () => {
    rig = await openRig({ targets: ["reporting", "warehouse", "audit"] });
    await rig.setAside("reporting", keys(1, 9));
    await rig.setAside("warehouse", keys(1, 7));
    await rig.setAside("reporting", keys(10, 14));
    await rig.setAside("audit", keys(1, 1));
  });
  after(() => rig.close());

  const idsOf = (pages: readonly Page[]) => pages.flatMap(({ letters }) => letters.map(({ id }) => id));

  for (const limit of [1, 3, 7, 22, 200]) {
    it(`hold every letter once, in order, ${limit} at a time`, async () => {
      const pages = await walk(rig, `?limit=${limit}`);
      const ids = idsOf(pages);
      expect(ids).to.have.length(22);
      expect(new Set(ids).size).to.equal(22);
      const times = pages.flatMap(({ letters }) => letters.map((letter) => letter.lastFailedAt));
      expect(times).to.deep.equal([...times].sort().toReversed());
      for (const { letters } of pages) expect(letters.length).to.be.at.most(limit);
    });
  }

  it("hold every old letter once while new ones arrive", async () => {
    const before = idsOf(await walk(rig, "?limit=200"));
    const pages = await walk(rig, "?limit=4", async () => {
      await rig.setAside("reporting", keys(100, 106));
      await rig.setAside("audit", keys(100, 106));
    });
    const seen = idsOf(pages);
    expect(new Set(seen).size).to.equal(seen.length);
    expect(seen).to.include.members(before);
  });

  it("hold every other letter once while one fails again", async () => {
    const before = idsOf(await walk(rig, "?limit=200"));
    const pages = await walk(rig, "?limit=4", async () => {
      await rig.setAside("reporting", keys(1, 1));
    });
    const seen = idsOf(pages);
    expect(new Set(seen).size).to.equal(seen.length);
    expect(before.filter((id) => !seen.includes(id)).length).to.be.at.most(1);
  });
});

describe("dead letters with a target down", () => {
  it("show those of the others, say whose are missing, and go on where they were", async () => {
    const database = await freshPostgres();
    const proxy = await startProxy({ port: Number(new URL(database.url).port) });
    const rig = await openRig({
      targets: ["reporting", "warehouse"],
      via: (target, url) => (target === "warehouse" ? proxy.url(url) : url),
      limits: { askTimeoutMs: 1_500 },
    });
    try {
      await rig.setAside("reporting", keys(1, 6));
      await rig.setAside("warehouse", keys(1, 6));
      const first = await page(rig, "?limit=4");
      proxy.blackHole();
      const cursor = encodeURIComponent(first.next!);
      const without = await page(rig, `?limit=8&cursor=${cursor}`);
      expect(without.letters.map((l) => l.target)).to.not.include("warehouse");
      expect(without.unreachable[0]).to.include({ target: "warehouse", code: "TARGET_UNAVAILABLE" });
      const detail = await rig.get(
        `/api/v1/dead-letters/${encodeURIComponent(first.letters.find((l) => l.target === "warehouse")!.id)}`,
      );
      expect([detail.status, detail.body["code"]]).to.deep.equal([503, "TARGET_UNAVAILABLE"]);
      expect(detail.headers.get("retry-after")).to.match(/^\d+$/);
      await proxy.heal();
      const deadline = performance.now() + 60_000;
      let rest = await page(rig, `?limit=8&cursor=${cursor}`);
      while (rest.unreachable.length > 0 && performance.now() < deadline)
        rest = await page(rig, `?limit=8&cursor=${cursor}`);
      expect(new Set([...first.letters, ...rest.letters].map((l) => l.id)).size).to.equal(12);
    } finally {
      await rig.close();
      await proxy[Symbol.asyncDispose]();
      await database.drop();
    }
  });
});
