import { expect } from "chai";
import { openQueues } from "../../../src/relay/queue/open-queues.js";

describe("queues of the user's own", () => {
  it("are fed once each, with all the tables that name them", async () => {
    // Nothing is connected before the first job.
    const queues = openQueues({ redis: "redis://127.0.0.1:1" }, [
      ["changed", ["public.orders", "public.lines"]],
      ["orders", ["public.orders"]],
      ["changed", ["public.lines", "public.customers"]],
    ]);
    expect(queues.feeds.map(({ queue, tables }) => [queue, tables])).to.deep.equal([
      ["changed", ["public.orders", "public.lines", "public.customers"]],
      ["orders", ["public.orders"]],
    ]);
    await queues.close();
  });
});
