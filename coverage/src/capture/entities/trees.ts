import type { TypeOrm } from "../app/typeorm-versions.js";
import { decorate } from "./decorate.js";

/** The four ways to keep a tree, and foreign keys that act by themselves. */
export function treeEntities(orm: TypeOrm) {
  const { Entity, Column, PrimaryColumn, PrimaryGeneratedColumn, Tree, TreeParent, TreeChildren } = orm;
  const { ManyToOne, OneToMany, JoinColumn } = orm;
  const name = { type: "varchar", length: 40 } as const;

  class Folder {
    id!: number;
    name!: string;
    parent!: Folder | null;
    children!: Folder[];
  }
  class Region {
    id!: number;
    name!: string;
    parent!: Region | null;
    children!: Region[];
  }
  class Route {
    id!: number;
    name!: string;
    parent!: Route | null;
    children!: Route[];
  }
  class Employee {
    id!: number;
    name!: string;
    boss!: Employee | null;
    team!: Employee[];
  }
  class Maker {
    code!: string;
    label!: string;
  }
  class Model {
    makerCode!: string;
    maker!: Maker;
    name!: string;
  }
  class Part {
    id!: number;
    model!: Model | null;
  }

  const trees = [
    [Folder, "folder", "closure-table"],
    [Region, "region", "nested-set"],
    [Route, "route", "materialized-path"],
  ] as const;
  for (const [type, table, kind] of trees) {
    decorate(type, [Entity(table), Tree(kind)], {
      id: [PrimaryGeneratedColumn()],
      name: [Column(name)],
      parent: [TreeParent(kind === "closure-table" ? { onDelete: "CASCADE" } : {})],
      children: [TreeChildren({ cascade: true })],
    });
  }
  decorate(Employee, [Entity("employee")], {
    id: [PrimaryGeneratedColumn()],
    name: [Column(name)],
    boss: [
      ManyToOne(
        () => Employee,
        (employee: Employee) => employee.team,
        { nullable: true, onDelete: "CASCADE" },
      ),
    ],
    team: [
      OneToMany(
        () => Employee,
        (employee: Employee) => employee.boss,
        { cascade: true },
      ),
    ],
  });
  const follows = { onDelete: "CASCADE", onUpdate: "CASCADE" } as const;
  decorate(Maker, [Entity("maker")], {
    code: [PrimaryColumn({ type: "varchar", length: 20 })],
    label: [Column({ ...name, unique: true, nullable: true })],
  });
  decorate(Model, [Entity("model")], {
    makerCode: [PrimaryColumn({ type: "varchar", length: 20 })],
    name: [PrimaryColumn({ type: "varchar", length: 20 })],
    maker: [ManyToOne(() => Maker, follows), JoinColumn({ name: "makerCode" })],
  });
  decorate(Part, [Entity("part")], {
    id: [PrimaryColumn({ type: "bigint" })],
    model: [ManyToOne(() => Model, { nullable: true, onDelete: "SET NULL", onUpdate: "CASCADE" })],
  });
  return { Folder, Region, Route, Employee, Maker, Model, Part };
}
