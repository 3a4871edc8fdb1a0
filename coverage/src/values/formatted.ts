import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";

/** Where the document lies in the repository. */
export const documentPath = fileURLToPath(new URL("../../../../docs/coverage-values.md", import.meta.url));

/** Markdown as the repository formats it. */
export async function formatted(markdown: string): Promise<string> {
  return format(markdown, { ...(await resolveConfig(documentPath)), parser: "markdown" });
}
