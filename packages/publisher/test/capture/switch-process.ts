import { silentLogger, type CaptureKind } from "@lockstep/core";
import {
  beginChangeOver,
  captureOf,
  outboxWriterOf,
  runAtSource,
  sourceOfUrl,
} from "../../src/capture/index.js";

// A process that changes the capture of a source: url, namespace of the table, kind. A test kills it.
const [url, namespace, kind] = process.argv.slice(2);
const source = sourceOfUrl(url!, { name: "test", outbox: {}, logger: silentLogger });
const to = kind as CaptureKind;
process.stdout.write("begins\n");
await runAtSource(source, async (run) => {
  const writer = outboxWriterOf(source);
  const tables = [{ namespace: namespace!, name: "item" }];
  await beginChangeOver(
    { run, writer, tables, timeoutMs: 20_000, captureOf: (one) => captureOf(one, source) },
    to,
  );
});
