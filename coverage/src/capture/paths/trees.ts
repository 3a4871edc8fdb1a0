import type { EntityManager, EntityTarget } from "typeorm";
import type { Family, WritePath } from "./write-path.js";

interface TreeNode {
  id: number;
  name: string;
  parent: TreeNode | null;
  children: TreeNode[];
}

type NodeType = "Folder" | "Region" | "Route";

/** Trees: TypeORM writes some of their statements by hand. */
export const trees: Family = {
  title: "Trees",
  paths: [
    ...treePaths("closure-table", "Folder"),
    ...treePaths("nested-set", "Region"),
    ...treePaths("materialized-path", "Route"),
    {
      name: "adjacency list: children with their parent, a move, a branch removed by the database",
      async write({ entities: { Employee } }, m) {
        const boss = m.create(Employee, { name: "new", team: [m.create(Employee, { name: "one" })] });
        await m.save(boss);
        await m.save(Employee, { id: 3, boss: { id: boss.id } });
        await m.delete(Employee, 1);
      },
    },
  ],
};

function treePaths(kind: string, type: NodeType): WritePath[] {
  const node = (m: EntityManager, target: EntityTarget<TreeNode>, id: number) =>
    m.findOneOrFail(target, { where: { id }, relations: { parent: true } });
  const target = (entities: Readonly<Record<NodeType, unknown>>) => entities[type] as EntityTarget<TreeNode>;
  return [
    {
      name: `${kind}: a new ${kind === "nested-set" ? "node" : "root"} with children and grandchildren`,
      async write({ entities }, m) {
        const Node = target(entities);
        const leaf = m.create(Node, { name: "l" });
        const child = m.create(Node, { name: "c", children: [leaf] });
        const parent = kind === "nested-set" ? await node(m, Node, 4) : null;
        await m.save(m.create(Node, { name: "r", parent, children: [child] }));
      },
    },
    {
      name: `${kind}: children added one by one by a tree repository`,
      async write({ entities }, m) {
        const Node = target(entities);
        const tree = m.getTreeRepository(Node);
        const first = await tree.save({ name: "n1", parent: await node(m, Node, 2) } as TreeNode);
        await tree.save({ name: "n2", parent: first } as TreeNode);
      },
    },
    {
      name: `${kind}: a branch moved`,
      async write({ entities }, m) {
        const Node = target(entities);
        const moved = await node(m, Node, 2);
        moved.parent = await node(m, Node, 4);
        await m.save(moved);
      },
    },
    {
      name: `${kind}: a node renamed`,
      write: ({ entities }, m) => m.update(target(entities), 2, { name: "renamed" }),
    },
    {
      name: `${kind}: a leaf removed`,
      async write({ entities }, m) {
        await m.remove(await node(m, target(entities), 3));
      },
    },
    {
      name: `${kind}: a leaf deleted by criteria`,
      write: ({ entities }, m) => m.delete(target(entities), { name: "leaf" }),
    },
  ];
}
