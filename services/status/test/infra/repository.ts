import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** The repository's folder, seen from the compiled test. */
export const repository = fileURLToPath(new URL("../../../../../", import.meta.url));

/** Text of a file of the repository. */
export function textOf(path: string): Promise<string> {
  return readFile(`${repository}${path}`, "utf8");
}

/** A YAML file of the repository, merge keys resolved. */
export async function yamlOf<T>(path: string): Promise<T> {
  return parse(await textOf(path), { merge: true }) as T;
}
