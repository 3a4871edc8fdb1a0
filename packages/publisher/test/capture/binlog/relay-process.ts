import { silentLogger } from "@lockstep/core";
import { redisStreamWriter } from "@lockstep/stream";
import { binlogCapture } from "../../../src/capture/binlog/binlog-capture.js";
import { startRelay } from "../../../src/relay/index.js";

// A relay on a binlog in a process of its own, to be killed. Arguments: database, Redis, source.
const [connection, redis, source] = process.argv.slice(2) as [string, string, string];
startRelay({
  log: binlogCapture({
    engine: "mysql",
    connection,
    name: source,
    outbox: {},
    logger: silentLogger,
  }).changeLog(),
  stream: redisStreamWriter({ redis, source }),
  source,
  limits: { settleMs: 20, standbyMs: 20, maxEntryEvents: 10, pageEvents: 50 },
});
