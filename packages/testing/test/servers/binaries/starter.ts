// A test process that starts PostgreSQL from the sources its environment allows and says its version, or why it can't.
import { startPostgres } from "../../../src/index.js";
import { askPostgres } from "../asking.js";

try {
  const server = await startPostgres();
  const [row] = await askPostgres(server.url, "SHOW server_version");
  process.stdout.write(JSON.stringify(row));
} catch (error) {
  process.stdout.write(JSON.stringify({ failure: (error as Error).message }));
}
