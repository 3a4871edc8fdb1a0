import type { CaptureSource } from "./source-capture.js";

/** A source by its connection URL, for whoever has no DataSource of it. */
export function sourceOfUrl(
  url: string,
  about: Pick<CaptureSource, "name" | "outbox" | "logger" | "foreignKeyActions" | "wal">,
): CaptureSource {
  if (/^postgres(ql)?:/.test(url)) return { ...about, engine: "postgres", connection: url };
  return { ...about, engine: "mysql", connection: url.replace(/^mariadb:/, "mysql:") };
}
