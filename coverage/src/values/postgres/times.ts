import type { ColumnType } from "../column-type.js";
import { asText, moment, momentInUtc } from "../forms.js";
import { quoted } from "./sql.js";

const withZone = ["timestamp with time zone", "timestamptz"];
const withoutZone = ["timestamp", "timestamp without time zone"];

/** Dates and times of PostgreSQL. */
export const times: readonly ColumnType[] = [
  {
    type: "date",
    values: quoted(
      "2026-01-02",
      "1970-01-01",
      "0001-01-01",
      "1582-10-10",
      "9999-12-31",
      "10000-01-01",
      "5874897-12-31",
      "0001-12-31 BC",
      "0044-03-15 BC",
      "4714-11-24 BC",
      "infinity",
      "-infinity",
    ),
    across: moment,
  },
  {
    type: "time",
    declaredAs: ["time", "time without time zone"],
    values: quoted("00:00:00", "12:30:00.5", "23:59:59.999999", "24:00:00"),
    across: moment,
  },
  {
    type: "time(3)",
    declaredAs: ["time", "time without time zone"],
    values: quoted("00:00:00.001", "23:59:59.999", "24:00:00"),
    across: moment,
  },
  {
    type: "time with time zone",
    declaredAs: ["time with time zone", "timetz"],
    values: quoted(
      "00:00:00+00",
      "12:30:00.5+05:45",
      "23:59:59.999999-15:59:59",
      "24:00:00+15:59",
      "12:00:00+00:00:01",
    ),
    across: asText,
  },
  {
    type: "timestamp",
    declaredAs: withoutZone,
    values: quoted(
      "2026-01-02 03:04:05",
      "2026-01-02 03:04:05.000001",
      "2026-01-02 03:04:05.100000",
      "0001-01-01 00:00:00",
      "9999-12-31 23:59:59.999999",
      "10000-01-01 00:00:00",
      "294276-12-31 23:59:59.999999",
      "0044-03-15 12:00:00 BC",
      "4714-11-24 00:00:00 BC",
      "infinity",
      "-infinity",
    ),
    across: moment,
  },
  {
    type: "timestamp(0)",
    declaredAs: withoutZone,
    values: quoted("2026-01-02 03:04:05.6", "1969-12-31 23:59:59"),
    across: moment,
  },
  {
    type: "timestamp with time zone",
    declaredAs: withZone,
    values: quoted(
      "2026-01-02 03:04:05+00",
      "2026-07-04 05:06:07.891011+02",
      "2026-10-25 02:30:00 Europe/Berlin",
      "1883-11-18 12:00:00 America/New_York",
      "0001-01-01 00:00:00+00",
      "9999-12-31 23:59:59.999999+00",
      "9999-12-31 23:59:59.999999-01",
      "0044-03-15 12:00:00+00 BC",
      "294276-12-31 23:59:59.999999+00",
      "infinity",
      "-infinity",
    ),
    across: momentInUtc,
  },
  {
    type: "timestamp(3) with time zone",
    declaredAs: withZone,
    values: quoted("2026-01-02 03:04:05.6789+00", "1969-12-31 23:59:59.999+00"),
    across: momentInUtc,
  },
  {
    type: "interval",
    values: quoted(
      "0",
      "1 year 2 mons 3 days 04:05:06.789012",
      "-1 year +2 mons -3 days +04:05:06",
      "-00:00:00.000001",
      "178000000 years",
      "1000000000 hours",
      "1 mon -1 day",
    ),
    across: asText,
  },
  { type: "interval(0)", declaredAs: ["interval"], values: quoted("1.6 seconds"), across: asText },
  { type: "interval year to month", declaredAs: ["interval"], values: quoted("1-2"), across: asText },
  {
    type: "interval day to second(3)",
    declaredAs: ["interval"],
    values: quoted("3 4:05:06.789012"),
    across: asText,
  },
];
