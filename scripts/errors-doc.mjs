// Writes docs/errors.md from the error table of @lockstep/core (built).
import { writeFile } from "node:fs/promises";
import { errorsDocument } from "../packages/core/dist/src/errors-doc.js";

await writeFile(new URL("../docs/errors.md", import.meta.url), errorsDocument());
