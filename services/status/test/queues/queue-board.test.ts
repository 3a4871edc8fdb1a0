import { letterQueue } from "@lockstep/stream";
import { freshRedis, type FreshDatabase } from "@lockstep/testing";
import { Queue } from "bullmq";
import { expect } from "chai";
import { createStatusServer, type StatusServer } from "../../src/index.js";

interface Board {
  readonly queues: readonly {
    readonly name: string;
    readonly readOnlyMode: boolean;
    readonly counts: Readonly<Record<string, number>>;
    readonly jobs: readonly { readonly id: string; readonly data: unknown }[];
  }[];
}

describe("/queues", () => {
  let redis: FreshDatabase;
  let queue: Queue;
  let server: StatusServer;
  before(async () => {
    redis = await freshRedis();
    const { name, prefix } = letterQueue("shop");
    queue = new Queue(name, { connection: { url: redis.url }, prefix });
    const data = {
      target: "reporting",
      source: "shop",
      partition: 0,
      letter: "7",
      attempt: 1,
      image: '["ada@example.com"]',
    };
    await queue.add("due", data, { jobId: "letter-7-1", delay: 3_600_000 });
    const silent = {
      relay: async () => undefined,
      lanes: async () => [],
      targets: async () => [],
      reads: async () => [],
    };
    const source = {
      name: "shop",
      reader: silent,
      schedule: { nudge: async () => undefined },
      targets: [],
      queues: [queue],
    };
    server = await createStatusServer({ sources: [source], port: 0 });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await queue.close();
    await redis.drop();
  });

  const path = encodeURIComponent("shop.letters");

  it("shows the raw queue and its jobs, without row values", async () => {
    const reply = await fetch(`${server.url}/queues/api/queues?activeQueue=${path}&status=delayed&page=1`);
    const text = await reply.text();
    const [board] = (JSON.parse(text) as Board).queues;
    expect(board).to.include({ name: "shop.letters", readOnlyMode: true });
    expect(board!.counts["delayed"]).to.equal(1);
    expect(board!.jobs[0]!.data).to.deep.equal({
      target: "reporting",
      source: "shop",
      partition: 0,
      letter: "7",
      attempt: 1,
    });
    expect(text).to.not.include("ada@example.com");
    const job = await (await fetch(`${server.url}/queues/api/queues/${path}/letter-7-1`)).text();
    expect(job).to.include("letter-7-1").and.to.not.include("ada@example.com");
  });

  it("is a page that runs under the service's content policy", async () => {
    const page = await fetch(`${server.url}/queues`);
    expect(page.status).to.equal(200);
    const scripts = [...(await page.text()).matchAll(/<script[^>]*src="([^"]+)"/g)].map((match) => match[1]!);
    expect(scripts).to.have.length.greaterThan(0);
    for (const script of scripts)
      expect((await fetch(`${server.url}/queues/${script}`)).status, script).to.equal(200);
  });

  const writes: [method: string, path: string][] = [
    ["PUT", `/queues/api/queues/${path}/empty`],
    ["PUT", `/queues/api/queues/${path}/pause`],
    ["PUT", `/queues/api/queues/${path}/obliterate`],
    ["PUT", `/queues/api/queues/${path}/letter-7-1/promote`],
    ["PUT", `/queues/api/queues/${path}/letter-7-1/clean`],
    ["PATCH", `/queues/api/queues/${path}/letter-7-1/update-data`],
    ["POST", `/queues/api/queues/${path}/add`],
    ["PUT", "/queues/api/queues/pause"],
  ];
  for (const [method, url] of writes) {
    it(`changes nothing: ${method} ${url.slice(url.lastIndexOf("/"))}`, async () => {
      const reply = await fetch(server.url + url, { method });
      expect(reply.status).to.equal(405);
      expect(((await reply.json()) as { code: string }).code).to.equal("METHOD_NOT_ALLOWED");
      expect(await queue.getJobCounts()).to.include({ delayed: 1 });
      expect(await queue.isPaused()).to.equal(false);
    });
  }
});
