import { resolve } from "node:path";
import { existsSync } from "node:fs";
import { LockstepError } from "@lockstep/core";
import { loadConfig as loadFile } from "c12";
import type { z } from "zod";
import { type Environment, withEnvironment } from "./environment.js";
import { configSchema, type LockstepConfig } from "./schema.js";

/** Checks a configuration and fills in the defaults. @throws LockstepError CONFIG_INVALID listing everything that is wrong, never a value. */
export function parseConfig(input: unknown, where = "configuration"): LockstepConfig {
  const result = configSchema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `  - ${issue.path.map(String).join(".") || "(top level)"}: ${messageOf(issue)}`,
  );
  throw new LockstepError(
    "CONFIG_INVALID",
    `${where} has ${problems.length} problem(s):\n${problems.join("\n")}\n`,
    {
      details: { problems: problems.length },
    },
  );
}

/** What is wrong with a record's name stands one level below "invalid key". */
function messageOf(issue: z.core.$ZodIssue): string {
  return issue.code === "invalid_key" ? issue.issues.map((i) => i.message).join(", ") : issue.message;
}

/**
 * Reads `lockstep.config.{ts,js,mjs,json,yaml}` (or the file named), lays the environment over it and checks it.
 * @throws LockstepError CONFIG_INVALID when the file is missing, can't be read, or is wrong.
 */
export async function loadConfig(
  options: { readonly file?: string; readonly environment?: Environment; readonly cwd?: string } = {},
): Promise<LockstepConfig> {
  const { cwd = process.cwd(), environment = process.env } = options;
  const file = options.file === undefined ? undefined : resolve(cwd, options.file);
  if (file !== undefined && !existsSync(file))
    throw new LockstepError("CONFIG_INVALID", `the configuration file ${file} doesn't exist`);
  const loaded = await read(cwd, file);
  const where = file ?? loaded.configFile ?? "lockstep.config.ts";
  if (loaded.config === undefined || Object.keys(loaded.config).length === 0) {
    throw new LockstepError(
      "CONFIG_INVALID",
      `no lockstep.config.{ts,js,json,yaml} with a default export was found in ${cwd}`,
    );
  }
  return parseConfig(withEnvironment(loaded.config, environment), where);
}

async function read(cwd: string, file: string | undefined) {
  try {
    return await loadFile<Record<string, unknown>>({
      name: "lockstep",
      cwd,
      ...(file === undefined ? {} : { configFile: file }),
      rcFile: false,
      globalRc: false,
      packageJson: false,
      dotenv: false,
    });
  } catch (cause) {
    // The cause may quote the file, which may hold secrets: only its kind is told, and the place.
    const kind = cause instanceof Error ? `${cause.name}${placeIn(cause.message)}` : "error";
    throw new LockstepError(
      "CONFIG_INVALID",
      `the configuration file ${file ?? "lockstep.config"} could not be read (${kind})`,
      { cause },
    );
  }
}

/** The place that a message names: `…/lockstep.config.ts:12:7`. */
function placeIn(message: string): string {
  const place = /:(\d+):(\d+)/.exec(message);
  return place === null ? "" : `, line ${place[1]}`;
}
