import type { TypeOrm } from "../app/typeorm-versions.js";
import { decorate } from "./decorate.js";

/** Relations of every kind, with cascades of every kind, and all the dates that TypeORM keeps. */
export function blogEntities(orm: TypeOrm) {
  const { Entity, Column, PrimaryColumn, PrimaryGeneratedColumn, ManyToOne, OneToMany, OneToOne } = orm;
  const { ManyToMany, JoinTable, JoinColumn } = orm;
  const { VersionColumn, CreateDateColumn, UpdateDateColumn, DeleteDateColumn } = orm;

  class Author {
    id!: number;
    email!: string;
    name!: string | null;
    secret!: string | null;
    counter!: number;
    posts!: Post[];
    profile!: Profile | null;
  }
  class Profile {
    id!: number;
    bio!: string;
    author!: Author | null;
  }
  class Post {
    id!: string;
    title!: string;
    author!: Author | null;
    tags!: Tag[];
    comments!: Comment[];
    notes!: Note[];
    pins!: Pin[];
    version!: number;
    createdAt!: Date;
    updatedAt!: Date;
    deletedAt!: Date | null;
  }
  class Tag {
    slug!: string;
    label!: string;
    posts!: Post[];
  }
  class Comment {
    id!: number;
    body!: string;
    post!: Post | null;
    deletedAt!: Date | null;
  }
  class Note {
    id!: number;
    body!: string;
    post!: Post | null;
    deletedAt!: Date | null;
  }
  class Pin {
    id!: number;
    body!: string;
    post!: Post | null;
  }

  const text = { type: "varchar", length: 80 } as const;
  decorate(Author, [Entity("author")], {
    id: [PrimaryGeneratedColumn()],
    email: [Column({ ...text, unique: true })],
    name: [Column({ ...text, nullable: true })],
    secret: [Column({ ...text, nullable: true, select: false })],
    counter: [Column({ type: "int", default: 0 })],
    posts: [
      OneToMany(
        () => Post,
        (post: Post) => post.author,
        { cascade: ["insert", "update"] },
      ),
    ],
    profile: [
      OneToOne(
        () => Profile,
        (profile: Profile) => profile.author,
        { cascade: true },
      ),
    ],
  });
  decorate(Profile, [Entity("profile")], {
    id: [PrimaryGeneratedColumn()],
    bio: [Column(text)],
    author: [
      OneToOne(
        () => Author,
        (author: Author) => author.profile,
        { nullable: true },
      ),
      JoinColumn(),
    ],
  });
  decorate(Post, [Entity("post")], {
    id: [PrimaryGeneratedColumn("uuid")],
    title: [Column(text)],
    author: [
      ManyToOne(
        () => Author,
        (author: Author) => author.posts,
        { nullable: true, cascade: ["insert"] },
      ),
    ],
    tags: [
      ManyToMany(
        () => Tag,
        (tag: Tag) => tag.posts,
        { cascade: true },
      ),
      JoinTable({ name: "post_tag" }),
    ],
    comments: [
      OneToMany(
        () => Comment,
        (comment: Comment) => comment.post,
        { cascade: true },
      ),
    ],
    notes: [
      OneToMany(
        () => Note,
        (note: Note) => note.post,
        { cascade: ["insert"] },
      ),
    ],
    pins: [
      OneToMany(
        () => Pin,
        (pin: Pin) => pin.post,
        { cascade: ["insert", "remove"] },
      ),
    ],
    version: [VersionColumn()],
    createdAt: [CreateDateColumn({ precision: 6 })],
    updatedAt: [UpdateDateColumn({ precision: 6 })],
    deletedAt: [DeleteDateColumn()],
  });
  decorate(Tag, [Entity("tag")], {
    slug: [PrimaryColumn({ type: "varchar", length: 40 })],
    label: [Column(text)],
    posts: [
      ManyToMany(
        () => Post,
        (post: Post) => post.tags,
      ),
    ],
  });
  const child = { id: [PrimaryGeneratedColumn()], body: [Column(text)] };
  decorate(Comment, [Entity("comment")], {
    ...child,
    post: [
      ManyToOne(
        () => Post,
        (post: Post) => post.comments,
        { nullable: true, orphanedRowAction: "delete", onDelete: "CASCADE" },
      ),
    ],
    deletedAt: [DeleteDateColumn()],
  });
  decorate(Note, [Entity("note")], {
    ...child,
    post: [
      ManyToOne(
        () => Post,
        (post: Post) => post.notes,
        { nullable: true, orphanedRowAction: "soft-delete", onDelete: "SET NULL" },
      ),
    ],
    deletedAt: [DeleteDateColumn()],
  });
  decorate(Pin, [Entity("pin")], {
    ...child,
    post: [
      ManyToOne(
        () => Post,
        (post: Post) => post.pins,
        { nullable: false, orphanedRowAction: "disable" },
      ),
    ],
  });
  return { Author, Profile, Post, Tag, Comment, Note, Pin };
}
