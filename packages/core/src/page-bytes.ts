/**
 * Whatever is read page by page holds about this much at most, however many rows were asked for: rows may be of a megabyte each, and a
 * process that dies of a page reads it again when it is back. One that is larger is a page of its own.
 */
export const maxPageBytes = 8 * 1024 * 1024;
