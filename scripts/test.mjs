// npm test: install, build, run every test, two files at a time: they mostly wait for servers. Arguments go to mocha (npm test -- --grep relay); test
// files named there replace the whole list, and run one after another. The last line is always "N passed, N failed, N skipped".
import { join } from "node:path";
import { bootstrap, root } from "./bootstrap.mjs";
import { endWithNpm } from "./end-with-npm.mjs";
import { testFiles } from "./test-files.mjs";

const LEFT_OPEN_MS = 30_000;

/** The reporter's figures once it is loaded. */
let current = { passed: 0, failed: 0, skipped: 0 };

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
  // Only now: it needs mocha, which may just have been installed.
  const { default: reporter } = await import("./counting-reporter.cjs");
  current = reporter.figures;
  current.ended = whenEnded;
  const { main } = await import("mocha/lib/cli/cli.js");
  const named = args.some((arg) => arg.endsWith(".js") && !arg.startsWith("-"));
  await main([
    "--reporter",
    join(root, "scripts", "counting-reporter.cjs"),
    ...args,
    ...(named ? [] : ["--parallel", "--jobs", "2", ...(await testFiles())]),
  ]);
}

function whenEnded() {
  setImmediate(() => {
    // Behind mocha's own exit listener, which would put its number of failures in place of the exit code.
    process.off("exit", sayFigures).on("exit", sayFigures);
    // Mocha's own listener throws what comes after the end, which ends the process without any exit listener.
    process.removeAllListeners("uncaughtException").on("uncaughtException", crashedLate);
  });
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(
      `all tests have ended, but something they left open keeps the process alive: ${open}\n`,
    );
    process.exit(1);
  }, LEFT_OPEN_MS).unref();
}

function crashedLate(error) {
  process.stderr.write(`after all tests had ended: ${error?.stack ?? error}\n`);
  process.exit(1);
}

function sayFigures(code) {
  // Ended by a signal, a failed build, a test file that could not be loaded, nothing to run: that is a failure too.
  const ranNothing = current.passed + current.failed === 0;
  if ((code !== 0 || ranNothing) && current.failed === 0) current.failed = 1;
  if (current.failed > 0) process.exitCode = code === 0 ? 1 : code;
  process.stdout.write(`${current.passed} passed, ${current.failed} failed, ${current.skipped} skipped\n`);
  // At once: Node's own cleanup behind this was once seen to wait for ever for a handle.
  process.exit();
}
