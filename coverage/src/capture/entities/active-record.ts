import type { DataSource } from "typeorm";
import type { TypeOrm } from "../app/typeorm-versions.js";
import { decorate } from "./decorate.js";

/** An active record, by the part that is used. */
export interface ActiveRecord {
  new (): { id: number; name: string };
  useDataSource(dataSource: DataSource | null): void;
  create(of: { name: string }): { save(): Promise<{ remove(): Promise<unknown> }> };
  insert(of: { name: string }): Promise<unknown>;
  update(where: { id: number }, to: { name: string }): Promise<unknown>;
}

/** An entity that saves itself. */
export function activeRecord({ BaseEntity, Column, Entity, PrimaryGeneratedColumn }: TypeOrm): ActiveRecord {
  class Active extends BaseEntity {
    id!: number;
    name!: string;
  }
  decorate(Active, [Entity("active")], {
    id: [PrimaryGeneratedColumn()],
    name: [Column({ type: "varchar", length: 40 })],
  });
  return Active as unknown as ActiveRecord;
}
