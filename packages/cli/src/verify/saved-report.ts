import { readFileSync } from "node:fs";
import { jobOptions, type JobOptions } from "@lockstep/config";
import { InvalidArgumentError } from "commander";

/** The rows that a report of `lockstep verify` names, of one source and target. */
export type SavedReport = { readonly source: string } & NonNullable<JobOptions<"repair">["only"]>[number];

/** Reads what `lockstep verify --json` wrote. @throws InvalidArgumentError. */
export function savedReport(file: string): readonly SavedReport[] {
  const reports = reportsOf(textOf(file));
  const { success, data, error } = jobOptions.repair.safeParse({ only: reports });
  if (success && reports.every(({ source }) => typeof source === "string"))
    return data.only!.map((only, i) => ({ source: reports[i]!.source as string, ...only }));
  const why = error?.issues.find(({ code }) => code === "custom")?.message;
  throw new InvalidArgumentError(
    why === undefined
      ? `${file} doesn't end with what \`lockstep verify --json\` writes.`
      : `${file} ${why}.`,
  );
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new InvalidArgumentError(`${file} can't be read.`);
  }
}

/** From the object on the last line; lines for people may stand before it. */
function reportsOf(text: string): readonly { readonly source?: unknown }[] {
  try {
    const saved = JSON.parse(text.trimEnd().split("\n").at(-1)!) as { readonly reports?: unknown };
    return Array.isArray(saved.reports) ? saved.reports : [{}];
  } catch {
    return [{}];
  }
}
