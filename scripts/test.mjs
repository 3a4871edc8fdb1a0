// npm test: install, build, run every test. Arguments go to mocha (npm test -- --grep relay); test files named there
// replace the whole list. The last line is always "N passed, N failed, N skipped".
import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { bootstrap, root } from "./bootstrap.mjs";
import { endWithNpm } from "./end-with-npm.mjs";
import { testFiles } from "./test-files.mjs";

const LEFT_OPEN_MS = 30_000;

const figures = { passed: 0, failed: 0, skipped: 0 };
let current = figures;

process.on("exit", sayFigures);
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
]) {
  // Servers are ended by the reaper, workers by the end of their channel.
  process.once(signal, () => process.exit(code));
}
endWithNpm();
process.chdir(root);
await bootstrap();
await runMocha(process.argv.slice(2));

async function runMocha(args) {
  const require = createRequire(import.meta.url);
  const reporter = join(root, "scripts", "counting-reporter.cjs");
  current = require(reporter).figures;
  current.ended = whenEnded;
  const { main } = await import("mocha/lib/cli/cli.js");
  const named = args.some((arg) => arg.endsWith(".js") && !arg.startsWith("-"));
  await main(["--reporter", reporter, ...args, ...(named ? [] : await testFiles())]);
}

function whenEnded() {
  // Behind mocha's own exit listener, which would turn the code of a late crash into its number of failures.
  setImmediate(() => process.off("exit", sayFigures).on("exit", sayFigures));
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(
      `all tests have ended, but something they left open keeps the process alive: ${open}\n`,
    );
    process.exit(1);
  }, LEFT_OPEN_MS).unref();
}

function sayFigures(code) {
  // Ended by a signal, a failed build, a test file that could not be loaded: that is a failure too.
  if (code !== 0 && current.failed === 0) current.failed = 1;
  if (current.failed > 0) process.exitCode = code === 0 ? 1 : code;
  writeSync(1, `${current.passed} passed, ${current.failed} failed, ${current.skipped} skipped\n`);
}
