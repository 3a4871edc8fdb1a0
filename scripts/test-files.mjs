import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./bootstrap.mjs";

/** Every compiled test of the workspace whose source still exists (a build leaves files of deleted sources behind). */
export async function testFiles() {
  const files = [];
  for (const project of await projects()) {
    const folder = join(project, "dist", "test");
    for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
      if (!name.endsWith(".test.js")) continue;
      if (await exists(join(project, "test", name.replace(/\.js$/, ".ts")))) files.push(join(folder, name));
    }
  }
  return files.sort();
}

async function projects() {
  const folders = [join(root, "bench"), join(root, "coverage")];
  for (const group of ["packages", "services", "examples"]) {
    const names = await readdir(join(root, group)).catch(() => []);
    folders.push(...names.map((name) => join(root, group, name)));
  }
  return folders;
}

function exists(path) {
  return stat(path).then(
    () => true,
    () => false,
  );
}
