import { sinkTarget } from "@lockstep/core";
import { postgresTarget } from "@lockstep/target-postgres";
import { freshPostgres } from "@lockstep/testing";
import { targetContract, type TargetFixture } from "@lockstep/testing/target-contract";
import { Client } from "pg";
import { webhookSink } from "../src/index.js";
import { Receiver, secret } from "./receiver.js";

async function openFixture(): Promise<TargetFixture> {
  const state = await freshPostgres();
  const client = new Client({ connectionString: state.url });
  await client.connect();
  const receiver = new Receiver();
  const url = await receiver.listen();
  receiver.answer = ({ event }) => (event.data.row?.["note"] === "refuse me" ? 422 : 204);
  const unused = () => Promise.reject(new Error("a webhook has no SQL"));
  return {
    engine: "postgres",
    url,
    target: ({ name, url }) =>
      sinkTarget({
        name,
        sink: webhookSink({ url, secret }),
        state: postgresTarget({ name, url: state.url }),
      }),
    run: unused,
    read: unused,
    rows: async ({ namespace, name, columns }) =>
      receiver.rows(`${namespace}.${name}`).map((row) => columns.map((column) => row[column.name] ?? null)),
    refusedText: "refuse me",
    killLanes: async () => {
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'lockstep lane %'",
      );
    },
    drop: async () => {
      await client.end();
      await receiver[Symbol.asyncDispose]();
      await state.drop();
    },
  };
}

targetContract("webhook", openFixture, { transactions: false });
