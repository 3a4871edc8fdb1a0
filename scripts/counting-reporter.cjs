// Mocha's usual output, and the run's figures for scripts/test.mjs.
const { reporters } = require("mocha");

/** Figures of the run in this process so far; `ended` when mocha has finished. */
const figures = { passed: 0, failed: 0, skipped: 0, ended: () => undefined };

class CountingReporter extends reporters.Spec {
  static figures = figures;

  constructor(runner, options) {
    super(runner, options);
    runner.on("pass", () => figures.passed++);
    runner.on("fail", () => figures.failed++);
    runner.on("pending", () => figures.skipped++);
    runner.once("end", () => figures.ended());
  }
}

module.exports = CountingReporter;
