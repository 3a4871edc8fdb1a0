// A test process that starts one server of each kind, says where they are, and waits to be killed.
import { startMariaDb, startPostgres, startRedis } from "../../../src/index.js";

const servers = await Promise.all([startPostgres(), startMariaDb(), startRedis({ appendOnly: true })]);
process.stdout.write(`${JSON.stringify(servers.map(({ kind, port }) => ({ kind, port })))}\n`);
if (process.argv.includes("--end")) process.stdin.unref();
else process.stdin.resume();
