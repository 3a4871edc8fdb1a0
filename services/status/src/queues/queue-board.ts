import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import type { Queue } from "bullmq";
import type { FastifyInstance } from "fastify";
import type { Fleet } from "../fleet/fleet.js";
import { httpProblem } from "../problem/http-problems.js";
import { methodsAt, readingMethods } from "../problem/method-not-allowed.js";
import { problemOf } from "../problem/problem.js";

const prefix = "/queues";
const problemStart = '{"type":"urn:lockstep:error:';

/** Whether an address is the board's. */
export const isQueueBoard = (url: string): boolean => /^\/queues(\/|\?|$)/.test(url);

/** bull-board over the raw BullMQ queues, to look at only: whatever isn't a read is refused before it gets there. */
export const queueBoard =
  (fleet: Fleet) =>
  async (app: FastifyInstance): Promise<void> => {
    const serverAdapter = new FastifyAdapter();
    serverAdapter.setBasePath(prefix);
    const queues = fleet.sources.flatMap((source) =>
      source.queues.map((queue) => readOnly(source.name, queue)),
    );
    createBullBoard({ queues, serverAdapter, options: { uiConfig: { boardTitle: "Lockstep queues" } } });
    // Its own handler would answer with messages and stacks. Every error of this room comes through here, 401 and 429 too; the board's
    // type lists only the statuses that the board itself uses.
    serverAdapter.setErrorHandler((error) => {
      const problem = problemOf(error, "");
      return { status: problem.status as 500, body: problem };
    });
    app.addHook("onSend", async (_, reply, payload) => {
      if (typeof payload === "string" && payload.startsWith(problemStart))
        void reply.type("application/problem+json");
    });
    app.addHook("onRequest", async ({ method, url }, reply) => {
      if (!readingMethods.includes(method)) {
        void reply.header("allow", methodsAt(app, url, readingMethods).join(", "));
        throw httpProblem("METHOD_NOT_ALLOWED", "the queues can only be looked at here");
      }
      // A queue that has never seen its Redis waits for it, for as long as it takes: the one who asks must not.
      await Promise.all(
        fleet.sources.flatMap(({ door, queues }) =>
          queues.map((queue) => door.ask(() => queue.waitUntilReady())),
        ),
      );
    });
    await app.register(serverAdapter.registerPlugin(), { prefix });
  };

function readOnly(source: string, queue: Queue): BullMQAdapter {
  // Two sources have queues of the same name.
  const adapter = new BullMQAdapter(queue, { readOnlyMode: true, prefix: `${source}.` });
  adapter.setFormatter("data", identifiersOf);
  adapter.setFormatter("returnValue", () => "hidden");
  return adapter;
}

const identifiers = [
  "target",
  "source",
  "partition",
  "letter",
  "attempt",
  "table",
  "position",
  "schedule",
  "job",
];

// A user's own queue carries row images: only what identifies a job is shown.
function identifiersOf(data: unknown): unknown {
  if (typeof data !== "object" || data === null) return "hidden";
  const shown = Object.entries(data).filter(([name]) => identifiers.includes(name));
  return Object.fromEntries(shown);
}
