/** What every run starts from: per table its columns and rows. Ids are below 1000, those that the database makes above. */
export const seeds: readonly (readonly [
  table: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
])[] = [
  [
    "author",
    ["id", "email", "name", "secret", "counter"],
    [
      [1, "zoe@x", "Zoe", "s1", 1],
      [2, "yan@x", null, "s2", 2],
      [3, "xia@x", "Xia", null, 3],
      [4, "wim@x", "Wim", null, 4],
    ],
  ],
  [
    "profile",
    ["id", "bio", "authorId"],
    [
      [1, "first", 1],
      [2, "second", 2],
    ],
  ],
  [
    "post",
    ["id", "title", "authorId", "version", "createdAt", "updatedAt", "deletedAt"],
    [
      [
        "11111111-1111-4111-8111-111111111111",
        "p1",
        1,
        1,
        "2020-01-01 00:00:00.123456",
        "2020-01-01 00:00:00.123456",
        null,
      ],
      [
        "22222222-2222-4222-8222-222222222222",
        "p2",
        1,
        1,
        "2020-01-02 00:00:00",
        "2020-01-02 00:00:00",
        null,
      ],
      [
        "33333333-3333-4333-8333-333333333333",
        "p3",
        2,
        2,
        "2020-01-03 00:00:00",
        "2020-01-03 00:00:00",
        "2020-02-01 00:00:00",
      ],
    ],
  ],
  [
    "tag",
    ["slug", "label"],
    [
      ["x", "X"],
      ["y", "Y"],
      ["z", "Z"],
    ],
  ],
  [
    "post_tag",
    ["postId", "tagSlug"],
    [
      ["11111111-1111-4111-8111-111111111111", "x"],
      ["11111111-1111-4111-8111-111111111111", "y"],
      ["22222222-2222-4222-8222-222222222222", "x"],
    ],
  ],
  ...["comment", "note"].map(
    (table) =>
      [
        table,
        ["id", "body", "postId", "deletedAt"],
        [
          [1, "one", "11111111-1111-4111-8111-111111111111", null],
          [2, "two", "11111111-1111-4111-8111-111111111111", null],
          [3, "three", "22222222-2222-4222-8222-222222222222", "2020-02-01 00:00:00"],
        ],
      ] as const,
  ),
  ["pin", ["id", "body", "postId"], [[1, "one", "11111111-1111-4111-8111-111111111111"]]],
  [
    "line",
    ["orderNo", "sku", "quantity"],
    [
      [1, "a", 1],
      [1, "b", 2],
      ["9007199254740993", "a", 3],
    ],
  ],
  ["shipment", ["orderNo", "sku", "carrier"], [[1, "a", "post"]]],
  [
    "reading",
    ["at", "value"],
    [
      ["2020-01-01 00:00:00.000001", 1],
      ["2020-01-01 00:00:00.000002", 2],
    ],
  ],
  ["Odd Table $1", ["The Key", "innerSt Reet", "innerGeoCity"], [["k 'k\"", "é", null]]],
  [
    "depot",
    ["placeCountry", "placeCode", "capacity"],
    [
      ["de", "1", 1],
      ["fr", "1", 2],
    ],
  ],
  [
    "item",
    ["id", "code", "labels", "doc", "price", "stamp", "frozen", "late"],
    [
      [1, "ABC", "a,b", '{"n":9007199254740993}', 10, "seeded", "f", "l"],
      [2, "DEF", "", null, 20, null, null, null],
    ],
  ],
  ["elsewhere", ["id", "name"], [[1, "far"]]],
  [
    "person",
    ["id", "name"],
    [
      [1, "Ann"],
      [2, "Ben"],
      [3, "Cat"],
    ],
  ],
  ["friendship", ["personId_1", "personId_2"], [[1, 2]]],
  [
    "animal",
    ["id", "name", "kind", "lives", "breed", "ownerId"],
    [
      [1, "tom", "cat", 9, null, null],
      [2, "rex", "dog", null, "mutt", 1],
      [3, "kit", "cat", 7, null, null],
    ],
  ],
  ["book", ["id", "title"], [[1, "B"]]],
  [
    "page",
    ["id", "number", "bookId"],
    [
      [1, 1, 1],
      [2, 2, 1],
    ],
  ],
  ["active", ["id", "name"], [[1, "one"]]],
  [
    "plain",
    ["code", "label"],
    [
      ["p", "P"],
      ["q", "Q"],
    ],
  ],
  [
    "folder",
    ["id", "name", "parentId"],
    [
      [1, "root", null],
      [2, "child", 1],
      [3, "leaf", 2],
      [4, "other", null],
    ],
  ],
  [
    "folder_closure",
    ["id_ancestor", "id_descendant"],
    [
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
      [1, 2],
      [1, 3],
      [2, 3],
    ],
  ],
  [
    "region",
    ["id", "name", "nsleft", "nsright", "parentId"],
    [
      [1, "root", 1, 8, null],
      [2, "child", 2, 5, 1],
      [3, "leaf", 3, 4, 2],
      [4, "other", 6, 7, 1],
    ],
  ],
  [
    "route",
    ["id", "name", "mpath", "parentId"],
    [
      [1, "root", "1.", null],
      [2, "child", "1.2.", 1],
      [3, "leaf", "1.2.3.", 2],
      [4, "other", "4.", null],
    ],
  ],
  [
    "employee",
    ["id", "name", "bossId"],
    [
      [1, "boss", null],
      [2, "lead", 1],
      [3, "dev", 2],
    ],
  ],
  [
    "maker",
    ["code", "label"],
    [
      ["m", "M"],
      ["n", "N"],
    ],
  ],
  [
    "model",
    ["makerCode", "name"],
    [
      ["m", "m1"],
      ["m", "m2"],
      ["n", "n1"],
    ],
  ],
  [
    "part",
    ["id", "modelMakerCode", "modelName"],
    [
      [1, "m", "m1"],
      [2, "n", "n1"],
    ],
  ],
];
