import { eventually, freePort, openSide } from "@lockstep/testing";
import { expect } from "chai";
import { startService } from "../src/index.js";
import { Rig, type RigApp } from "./rig/rig.js";

interface Letter {
  readonly id: string;
  readonly table: string;
  readonly key: string;
  readonly state: string;
  readonly code: string;
}

/** The status service, asked as a person would. */
class Api {
  constructor(private readonly url: string) {}

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  post(path: string, body?: object): Promise<Response> {
    const json =
      body === undefined
        ? {}
        : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    return fetch(`${this.url}${path}`, { method: "POST", ...json });
  }

  letters = async (query = "") =>
    (await this.get<{ letters: Letter[] }>(`/api/v1/dead-letters${query}`)).letters;
}

/** A shop, two targets that hold what it holds, and the status service. */
interface Stage extends AsyncDisposable {
  readonly rig: Rig;
  readonly app: RigApp;
  readonly api: Api;
}

async function openStage(): Promise<Stage> {
  const stack: AsyncDisposable[] = [];
  const use = <T extends AsyncDisposable>(thing: T): T => {
    stack.push(thing);
    return thing;
  };
  const rig = use(await Rig.open("postgres", { reporting: "postgres", warehouse: "mariadb" }));
  const app = use(await rig.openApp());
  const port = await freePort();
  use(await rig.startConsumer());
  use(await startService("@lockstep/status", rig.config({ status: { port } })));
  await rig.untilRegistered();
  await app.shop.open(20, 10);
  await rig.untilConverged();
  return {
    rig,
    app,
    api: new Api(`http://127.0.0.1:${port}`),
    async [Symbol.asyncDispose]() {
      for (const thing of stack.toReversed()) await thing[Symbol.asyncDispose]();
    },
  };
}

describe("a row that a target refuses", () => {
  // One for all: each test's letters are told by their target.
  let stage: Stage;
  before(async () => void (stage = await openStage()));
  after(() => stage[Symbol.asyncDispose]());

  it("is set aside among thousands, retried, dead, shown over HTTP, and replayed once the target is mended", async () => {
    const { rig, app, api } = stage;
    await using target = await openSide(rig.targets["reporting"]!.url);
    await target.query(
      "ALTER TABLE tags ADD CONSTRAINT no_poison CHECK (description IS DISTINCT FROM 'poison')",
    );
    const tags = Array.from({ length: 3000 }, (_, n) => ({
      name: `tag ${n}`,
      description: n === 1234 ? "poison" : "fine",
    }));
    await app.dataSource.getRepository(app.entities.tag).save(tags, { chunk: 500 });

    const dead = await eventually(async () => (await api.letters("?state=dead&target=reporting"))[0], {
      what: "a dead letter",
    });
    expect(dead).to.include({ table: "public.tags", key: '["tag 1234"]', code: "TARGET_CHECK" });
    expect(await api.letters("?target=reporting")).to.have.length(1);
    const { missing, extra, differing } = await rig.compare("reporting");
    expect({ missing, extra, differing }).to.deep.equal({ missing: 1, extra: 0, differing: 0 });

    const detail = await api.get<{ image: object; history: object[] }>(
      `/api/v1/dead-letters/${encodeURIComponent(dead.id)}`,
    );
    expect(detail.image).to.include({ name: "tag 1234", description: "poison" });
    expect(detail.history).to.have.length(3);

    await target.query("ALTER TABLE tags DROP CONSTRAINT no_poison");
    expect((await api.post("/api/v1/dead-letters/replay", {})).status).to.equal(400);
    expect(
      (await api.post(`/api/v1/dead-letters/${encodeURIComponent(dead.id)}/replay`)).status,
    ).to.be.within(200, 202);
    await rig.untilConverged();
    await eventually(async () => (await api.letters("?state=applied")).length === 1, {
      what: "a letter that is over",
    });
  });

  it("is superseded by a newer image of the row that applies", async () => {
    const { rig, app, api } = stage;
    await using target = await openSide(rig.targets["warehouse"]!.url);
    await target.query("ALTER TABLE tags MODIFY description VARCHAR(20)");
    const tags = app.dataSource.getRepository(app.entities.tag);
    await tags.save({ name: "long", description: "more than twenty characters" });
    await eventually(async () => (await api.letters("?state=dead&target=warehouse")).length === 1, {
      what: "a dead letter",
    });
    await tags.save({ name: "long", description: "short enough" });
    await rig.untilConverged();
    expect((await api.letters("?target=warehouse")).map((letter) => letter.state)).to.deep.equal([
      "superseded",
    ]);
  });

  it("is not made by a target that is away: its lane waits, the other goes on", async () => {
    const { rig, app, api } = stage;
    const before = await api.letters();
    await rig.cutOff("warehouse");
    for (let n = 0; n < 20; n++) await app.shop.placeOrder();
    await eventually(async () => (await rig.compare("reporting")).missing === 0, {
      what: "the other target",
    });
    const paused = async () => {
      const status = await api.get<{ sources: { lanes: { target: string; state: string }[] }[] }>(
        "/api/v1/status",
      );
      return status.sources[0]!.lanes.some((lane) => lane.target === "warehouse" && lane.state === "paused");
    };
    await eventually(paused, { what: "a paused lane" });
    await rig.reconnect("warehouse");
    await rig.untilConverged();
    expect(await api.letters()).to.deep.equal(before);
  });
});
