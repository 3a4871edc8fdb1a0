import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bootstrap, root } from "./bootstrap.mjs";
import { endWithNpm } from "./end-with-npm.mjs";

/**
 * Installs, builds, and runs a compiled program of the workspace with this process's arguments. In this process: signals,
 * exit code and a SIGKILL need nobody to pass them on.
 */
export async function runMain(...path) {
  endWithNpm();
  await bootstrap();
  const program = join(root, ...path);
  if (!existsSync(program)) {
    process.stderr.write(`${program} does not exist after the build. Try: npm run clean\n`);
    process.exit(1);
  }
  process.setSourceMapsEnabled(true);
  process.argv[1] = program;
  await import(pathToFileURL(program).href);
}
