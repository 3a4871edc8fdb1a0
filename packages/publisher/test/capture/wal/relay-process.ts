import { redisStreamWriter } from "@lockstep/stream";
import { silentLogger } from "@lockstep/core";
import { startRelay } from "../../../src/relay/index.js";
import { postgresWalLog } from "../../../src/capture/wal/wal-log.js";

/** A relay in a process of its own, to be killed: connection, redis and source as arguments. */
const [connection, redis, source] = process.argv.slice(2) as [string, string, string];
startRelay({
  log: postgresWalLog({ connection, source, logger: silentLogger }),
  stream: redisStreamWriter({ redis, source }),
  source,
  limits: { settleMs: 50, standbyMs: 50, idleMs: 100, pageEvents: 50, maxEntryEvents: 10 },
});
process.stdout.write("started\n");
