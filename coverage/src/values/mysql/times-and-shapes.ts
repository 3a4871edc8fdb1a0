import type { ColumnType } from "../column-type.js";
import { geometryAsBytes, moment, momentWithZone, timeAsInterval, yearAsNumber } from "../forms.js";
import { quoted } from "./sql.js";

/** Dates and times of MySQL and MariaDB. */
export const times: readonly ColumnType[] = [
  {
    type: "date",
    values: quoted(
      "2026-01-02",
      "1970-01-01",
      "1000-01-01",
      "0001-01-01",
      "9999-12-31",
      "0000-00-00",
      "2026-00-00",
      "2026-02-31",
      "0000-01-01",
    ),
    across: moment,
  },
  {
    type: "datetime",
    values: quoted(
      "2026-01-02 03:04:05",
      "1000-01-01 00:00:00",
      "9999-12-31 23:59:59",
      "0000-00-00 00:00:00",
      "2026-01-00 01:02:03",
      "2026-02-31 00:00:00",
    ),
    across: moment,
  },
  {
    type: "datetime(6)",
    declaredAs: ["datetime"],
    values: quoted(
      "2026-01-02 03:04:05.000001",
      "2026-01-02 03:04:05.100000",
      "9999-12-31 23:59:59.999999",
      "0000-00-00 00:00:00",
    ),
    across: moment,
  },
  {
    type: "timestamp null",
    declaredAs: ["timestamp"],
    values: quoted(
      "2026-01-02 03:04:05",
      "1970-01-01 00:00:01",
      "2038-01-19 03:14:07",
      "0000-00-00 00:00:00",
    ),
    across: momentWithZone,
  },
  {
    type: "timestamp(6) null",
    declaredAs: ["timestamp"],
    values: quoted(
      "2026-07-04 05:06:07.891011",
      "2038-01-19 03:14:07.999999",
      "1970-01-01 00:00:01.000001",
      "0000-00-00 00:00:00",
    ),
    across: momentWithZone,
  },
  {
    type: "time",
    values: quoted("00:00:00", "23:59:59", "24:00:00", "838:59:59", "-838:59:59", "-00:00:01"),
    across: timeAsInterval,
  },
  {
    type: "time(6)",
    declaredAs: ["time"],
    values: quoted(
      "00:00:00.000001",
      "12:30:00.500000",
      "-00:00:00.000001",
      "838:59:59.000000",
      "-838:59:58.999999",
    ),
    across: timeAsInterval,
  },
  { type: "year", values: ["1901", "2026", "2155", "0000"], across: yearAsNumber },
];

const shape = (type: string, ...values: readonly string[]): ColumnType => ({
  type,
  values: values.map((value) => `ST_GeomFromText('${value}')`),
  across: geometryAsBytes,
});

/** Spatial types of MySQL and MariaDB. */
export const shapes: readonly ColumnType[] = [
  {
    ...shape("geometry", "POINT(0 -0)", "LINESTRING(0 0,1 1)"),
    values: ["ST_GeomFromText('POINT(1.5 -2)')", "ST_GeomFromText('POINT(13.4 52.5)', 4326)"],
  },
  shape("point", "POINT(0 -0)", "POINT(0.1 1e300)"),
  shape("linestring", "LINESTRING(0 0,1.5 1)"),
  shape("polygon", "POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))"),
  shape("multipoint", "MULTIPOINT(0 0,1 1)"),
  shape("multilinestring", "MULTILINESTRING((0 0,1 1),(2 2,3 3))"),
  shape("multipolygon", "MULTIPOLYGON(((0 0,4 0,4 4,0 0)))"),
  shape(
    "geometrycollection",
    "GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))",
    "GEOMETRYCOLLECTION EMPTY",
  ),
];
