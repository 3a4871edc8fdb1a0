import { mysqlChangeLog, postgresChangeLog } from "@lockstep/outbox";
import { redisStreamWriter } from "@lockstep/stream";
import { startRelay } from "../../src/relay/index.js";

/** A relay of an outbox in a process of its own, with its default limits: engine, connection, redis and source as arguments. */
const [engine, connection, redis, source] = process.argv.slice(2) as [string, string, string, string];
const log = engine === "postgres" ? postgresChangeLog : mysqlChangeLog;
startRelay({ log: log({ connection, source }), stream: redisStreamWriter({ redis, source }), source });
process.stdout.write("started\n");
