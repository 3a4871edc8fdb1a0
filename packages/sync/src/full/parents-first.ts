/** Tables so that each comes behind those its foreign keys point to, otherwise in their order. In a circle the first one met comes first. Pure. */
export function parentsFirst<T extends { readonly parents: readonly string[] }>(
  tables: readonly T[],
  idOf: (table: T) => string,
): T[] {
  const byId = new Map(tables.map((table) => [idOf(table), table]));
  const met = new Set<string>();
  const ordered: T[] = [];
  const visit = (id: string): void => {
    const table = byId.get(id);
    if (table === undefined || met.has(id)) return;
    met.add(id);
    for (const parent of table.parents) visit(parent);
    ordered.push(table);
  };
  for (const id of byId.keys()) visit(id);
  return ordered;
}
