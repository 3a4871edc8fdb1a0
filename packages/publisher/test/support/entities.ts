import type { TypeOrm } from "./typeorm-versions.js";

/** One class per shape that capture must know, made anew for each copy of TypeORM. */
export type Shop = ReturnType<typeof shopEntities>;

/** Applies a TypeORM copy's decorators without syntax, so that one definition serves all copies. */
function decorate(
  type: { prototype: object },
  own: readonly ClassDecorator[],
  members: Readonly<Record<string, readonly PropertyDecorator[]>>,
): void {
  for (const [name, decorators] of Object.entries(members)) {
    for (const decorator of decorators) decorator(type.prototype, name);
  }
  for (const decorator of own) (decorator as (type: object) => void)(type);
}

/** The entities of the tests. `dialect` chooses column types that differ. */
export function shopEntities(orm: TypeOrm, dialect: "postgres" | "mysql") {
  const {
    Entity,
    Column,
    PrimaryColumn,
    PrimaryGeneratedColumn,
    ManyToOne,
    OneToMany,
    ManyToMany,
    JoinTable,
    JoinColumn,
    VersionColumn,
    DeleteDateColumn,
    UpdateDateColumn,
    TableInheritance,
    ChildEntity,
    Tree,
    TreeParent,
    TreeChildren,
  } = orm;
  const precise = dialect === "postgres" ? "timestamptz" : "datetime";

  class Author {
    id!: number;
    email!: string;
    name!: string | null;
    secret!: string | null;
    counter!: number;
    posts!: Post[];
  }
  class Post {
    id!: string;
    title!: string;
    author!: Author | null;
    tags!: Tag[];
    version!: number;
    updatedAt!: Date;
    deletedAt!: Date | null;
  }
  class Tag {
    slug!: string;
    label!: string;
  }
  class Line {
    orderNo!: number | string;
    sku!: string;
    quantity!: number;
  }
  class Reading {
    at!: Date | string;
    value!: number;
  }
  class Animal {
    id!: number;
    name!: string;
  }
  class Cat extends Animal {
    lives!: number | null;
  }
  class Dog extends Animal {
    breed!: string | null;
  }
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
  class Odd {
    theKey!: string;
    inner!: { street: string | null };
  }

  decorate(Author, [Entity("author")], {
    id: [PrimaryGeneratedColumn()],
    email: [Column({ type: "varchar", length: 80, unique: true })],
    name: [Column({ type: "varchar", length: 80, nullable: true })],
    secret: [Column({ type: "varchar", length: 80, nullable: true, select: false })],
    counter: [Column({ type: "int", default: 0 })],
    posts: [
      OneToMany(
        () => Post,
        (post: Post) => post.author,
        { cascade: true },
      ),
    ],
  });
  decorate(Post, [Entity("post")], {
    id: [PrimaryGeneratedColumn("uuid")],
    title: [Column({ type: "varchar", length: 80 })],
    author: [
      ManyToOne(
        () => Author,
        (author: Author) => author.posts,
        { nullable: true },
      ),
    ],
    tags: [ManyToMany(() => Tag, { cascade: true }), JoinTable({ name: "post_tag" })],
    version: [VersionColumn()],
    updatedAt: [UpdateDateColumn({ precision: 6 })],
    deletedAt: [DeleteDateColumn()],
  });
  decorate(Tag, [Entity("tag")], {
    slug: [PrimaryColumn({ type: "varchar", length: 40 })],
    label: [Column({ type: "varchar", length: 40 })],
  });
  decorate(Line, [Entity("line")], {
    orderNo: [PrimaryColumn({ type: "bigint" })],
    sku: [PrimaryColumn({ type: "varchar", length: 20 })],
    quantity: [Column({ type: "int" })],
  });
  decorate(Reading, [Entity("reading")], {
    at: [PrimaryColumn({ type: precise, precision: 6, default: () => "CURRENT_TIMESTAMP(6)" })],
    value: [Column({ type: "int" })],
  });
  decorate(
    Animal,
    [Entity("animal"), TableInheritance({ column: { type: "varchar", name: "kind", length: 20 } })],
    {
      id: [PrimaryGeneratedColumn()],
      name: [Column({ type: "varchar", length: 40 })],
    },
  );
  decorate(Cat, [ChildEntity("cat")], { lives: [Column({ type: "int", nullable: true })] });
  decorate(Dog, [ChildEntity("dog")], {
    breed: [Column({ type: "varchar", length: 40, nullable: true })],
  });
  decorate(Folder, [Entity("folder"), Tree("closure-table")], {
    id: [PrimaryGeneratedColumn()],
    name: [Column({ type: "varchar", length: 40 })],
    parent: [TreeParent()],
    children: [TreeChildren({ cascade: true })],
  });
  decorate(Region, [Entity("region"), Tree("nested-set")], {
    id: [PrimaryGeneratedColumn()],
    name: [Column({ type: "varchar", length: 40 })],
    parent: [TreeParent()],
    children: [TreeChildren({ cascade: true })],
  });
  class Address {
    street!: string | null;
  }
  decorate(Address, [], {
    street: [Column({ name: "st reet", type: "varchar", length: 40, nullable: true })],
  });
  decorate(Odd, [Entity("Odd Table $1")], {
    theKey: [PrimaryColumn({ name: "The Key", type: "varchar", length: 40 })],
    inner: [Column(() => Address)],
  });
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
  class Branch {
    id!: number;
    parent!: Branch | null;
  }
  const follows = { onDelete: "CASCADE", onUpdate: "CASCADE" } as const;
  decorate(Maker, [Entity("maker")], {
    code: [PrimaryColumn({ type: "varchar", length: 20 })],
    label: [Column({ type: "varchar", length: 20, default: "" })],
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
  decorate(Branch, [Entity("branch")], {
    id: [PrimaryColumn({ type: "int" })],
    parent: [ManyToOne(() => Branch, { nullable: true, ...follows })],
  });
  return {
    Maker,
    Model,
    Part,
    Branch,
    Author,
    Post,
    Tag,
    Line,
    Reading,
    Animal,
    Cat,
    Dog,
    Folder,
    Region,
    Odd,
  };
}
