import { compareSides, type Explained, openSide } from "@lockstep/testing";

/** Row by row, both targets together. */
export interface Verdict {
  readonly missingRows: number;
  readonly extraRows: number;
  readonly differingRows: number;
  readonly rows: number;
  readonly examples: readonly string[];
}

/** Compares the source with every target, leaving out the rows that a live letter explains. */
export async function compareAll(
  source: string,
  targets: Readonly<Record<string, string>>,
  statusUrl: string,
): Promise<Verdict> {
  const verdict = { missingRows: 0, extraRows: 0, differingRows: 0, rows: 0, examples: [] as string[] };
  await using left = await openSide(source);
  for (const [name, url] of Object.entries(targets)) {
    await using right = await openSide(url);
    const result = await compareSides(left, right, { explained: await liveLetters(statusUrl, name) });
    verdict.missingRows += result.missing;
    verdict.extraRows += result.extra;
    verdict.differingRows += result.differing;
    verdict.rows += result.rows;
    verdict.examples.push(...result.examples.map((example) => `${name}: ${example}`));
  }
  return verdict;
}

async function liveLetters(statusUrl: string, target: string): Promise<Explained[]> {
  const explained: Explained[] = [];
  let cursor = "";
  do {
    const query = new URLSearchParams({
      target,
      state: "retrying,due,waiting,dead",
      limit: "200",
      ...(cursor && { cursor }),
    });
    const response = await fetch(`${statusUrl}/api/v1/dead-letters?${query}`);
    if (!response.ok) throw new Error(`the status service answered ${response.status}`);
    const page = (await response.json()) as { letters: { table: string; key: string }[]; next?: string };
    explained.push(
      ...page.letters.map(({ table, key }) => ({ table: table.slice(table.indexOf(".") + 1), key })),
    );
    cursor = page.next ?? "";
  } while (cursor !== "");
  return explained;
}
