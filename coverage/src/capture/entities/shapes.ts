import type { TypeOrm } from "../app/typeorm-versions.js";
import { type ActiveRecord, activeRecord } from "./active-record.js";
import { decorate } from "./decorate.js";

/** Inheritance, active record, EntitySchema, lazy relations, self-references, a view. */
export function shapeEntities(orm: TypeOrm) {
  const { Entity, Column, PrimaryColumn, PrimaryGeneratedColumn, TableInheritance, ChildEntity } = orm;
  const { ManyToMany, ManyToOne, OneToMany, JoinTable, ViewEntity, ViewColumn } = orm;

  class Animal {
    id!: number;
    name!: string;
  }
  class Cat extends Animal {
    lives!: number | null;
  }
  class Dog extends Animal {
    breed!: string | null;
    owner!: Person | null;
  }
  class Person {
    id!: number;
    name!: string;
    friends!: Person[];
  }
  class Book {
    id!: number;
    title!: string;
    pages!: Promise<Page[]>;
  }
  class Page {
    id!: number;
    number!: number;
    book!: Promise<Book | null>;
  }
  class Seen {
    slug!: string;
    label!: string;
  }

  const short = { type: "varchar", length: 40 } as const;
  const kind = { type: "varchar", name: "kind", length: 20 } as const;
  decorate(Animal, [Entity("animal"), TableInheritance({ column: kind })], {
    id: [PrimaryGeneratedColumn()],
    name: [Column(short)],
  });
  decorate(Cat, [ChildEntity("cat")], { lives: [Column({ type: "int", nullable: true })] });
  decorate(Dog, [ChildEntity("dog")], {
    breed: [Column({ ...short, nullable: true })],
    owner: [ManyToOne(() => Person, { nullable: true, cascade: true, onDelete: "SET NULL" })],
  });
  decorate(Person, [Entity("person")], {
    id: [PrimaryGeneratedColumn()],
    name: [Column(short)],
    friends: [ManyToMany(() => Person, { cascade: ["insert"] }), JoinTable({ name: "friendship" })],
  });
  decorate(Book, [Entity("book")], {
    id: [PrimaryGeneratedColumn()],
    title: [Column(short)],
    pages: [
      OneToMany(
        () => Page,
        (page: Page) => page.book,
        { lazy: true, cascade: true },
      ),
    ],
  });
  decorate(Page, [Entity("page")], {
    id: [PrimaryGeneratedColumn()],
    number: [Column({ type: "int" })],
    book: [
      ManyToOne(
        () => Book,
        (book: Book) => book.pages,
        { lazy: true, nullable: true },
      ),
    ],
  });
  const Active: ActiveRecord = activeRecord(orm);
  const Plain = new orm.EntitySchema<{ code: string; label: string }>({
    name: "Plain",
    tableName: "plain",
    columns: { code: { type: "varchar", length: 40, primary: true }, label: short },
  });
  decorate(
    Seen,
    [
      ViewEntity("seen", {
        expression: (source) =>
          source.createQueryBuilder().select("t.code", "code").addSelect("t.label", "label").from(Plain, "t"),
      }),
    ],
    { code: [ViewColumn()], label: [ViewColumn()] },
  );
  class Wide {
    code!: string;
    label!: string;
  }
  decorate(Wide, [Entity("seen", { synchronize: false })], {
    code: [PrimaryColumn(short)],
    label: [Column(short)],
  });
  return {
    Animal,
    Cat,
    Dog,
    Person,
    Book,
    Page,
    Active,
    Plain,
    Seen,
    Wide,
  };
}
